import { splitSuspicious } from '@model-rtc/formats';
import type { CodeFile, ModelEntry } from '@model-rtc/protocol';

/** Imports listed for one file; a hostile file can have more than fit on a screen. */
const SHOWN_IMPORTS = 6;

type Marked = Pick<ModelEntry, 'codeFiles'>;

/**
 * The mark of a model in a list: `code` when a file of it runs code as it is loaded, `code!` when one also imports what
 * a model has no use for, `code?` when one could not be examined, `?` when nobody has looked, empty when it only holds data.
 */
export function codeMark({ codeFiles }: Marked): string {
  if (codeFiles === undefined) return '?';
  if (codeFiles.length === 0) return '';
  if (codeFiles.some(isSuspicious)) return 'code!';
  return codeFiles.some(({ unexamined }) => unexamined) ? 'code?' : 'code';
}

/** The files of a model that run code, each with a sentence about it; suspicious ones first. */
export function codeFileFacts({ codeFiles = [] }: Marked): [path: string, what: string][] {
  const rank = (file: CodeFile): number => (isSuspicious(file) ? 2 : Number(file.unexamined === true));
  const bySuspicion = [...codeFiles].sort((a, b) => rank(b) - rank(a));
  return bySuspicion.map((file) => [file.path, codeFileText(file)]);
}

/** Whether it imports what a model has no use for. */
function isSuspicious({ suspicious, unexamined }: CodeFile): boolean {
  return unexamined ? splitSuspicious(suspicious).imports.length > 0 : suspicious.length > 0;
}

/** The end of a line that begins with the file's path. */
function codeFileText(file: CodeFile): string {
  const { imports, reasons } = splitSuspicious(file.suspicious);
  if (!file.unexamined) return importsText(file.suspicious);
  const why = `could not be examined: ${reasons.join('; ')}`;
  return imports.length === 0
    ? `${why}. Do not load it unless you trust its source`
    : `${importsText(imports)}; a part of it ${why}`;
}

function importsText(suspicious: readonly string[]): string {
  if (suspicious.length === 0) return 'runs code when it is loaded';
  const shown = suspicious.slice(0, SHOWN_IMPORTS).join(', ');
  const more = suspicious.length > SHOWN_IMPORTS ? ` and ${suspicious.length - SHOWN_IMPORTS} more` : '';
  return `runs code when it is loaded, and imports ${shown}${more}: do not load it unless you know why`;
}
