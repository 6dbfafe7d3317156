import { type CodeFile, ModelRtcError } from '@model-rtc/protocol';
import { splitSuspicious } from './findings.ts';

/** How many an error names; `--json` has all. */
const NAMED_FILES = 5;
const NAMED_IMPORTS = 5;

/** @throws ModelRtcError `refused` naming the files and what they import, when there are any. */
export function refuseCode(codeFiles: readonly CodeFile[]): void {
  if (codeFiles.length === 0) return;
  const worst = [...codeFiles].sort((a, b) => b.suspicious.length - a.suspicious.length);
  const named = worst.slice(0, NAMED_FILES).map(describe).join(', ');
  const more = codeFiles.length > NAMED_FILES ? ` and ${codeFiles.length - NAMED_FILES} more` : '';
  const isKnown = codeFiles.some(({ unexamined }) => !unexamined);
  const advice = isKnown ? 'Use a safetensors version of it, or leave' : 'Leave';
  throw new ModelRtcError(
    'refused',
    `The model ${isKnown ? 'runs' : 'may run'} code when it is loaded, and --safe-only refuses that: ${named}${more}. ${advice} out --safe-only if you trust its source.`,
    { details: { codeFiles } },
  );
}

function describe({ path, suspicious: found, unexamined }: CodeFile): string {
  const { imports, reasons } = splitSuspicious(found);
  if (unexamined && imports.length === 0) return `${path} (could not be examined: ${reasons.join('; ')})`;
  const suspicious = unexamined ? imports : found;
  if (suspicious.length === 0) return path;
  const more = suspicious.length > NAMED_IMPORTS ? `, and ${suspicious.length - NAMED_IMPORTS} more` : '';
  return `${path} (imports ${suspicious.slice(0, NAMED_IMPORTS).join(', ')}${more})`;
}
