import { ModelRtcError } from '@model-rtc/protocol';
import { formatCount, printable } from '../../../console/format.ts';
import { renderTable } from '../../../console/table.ts';
import type { RegistryFinding, RegistryReport } from './registry.ts';

const KINDS: Readonly<Record<RegistryFinding['kind'], string>> = {
  'entry-without-folder': 'entry without folder',
  'folder-without-entry': 'folder without entry',
  'wrong-bytes': 'wrong bytes',
};

/** Details are never cut: they say where things are now. */
export function renderRegistry({ models, findings, orphans }: RegistryReport): string {
  const table = renderTable(
    findings,
    [
      { title: 'WHAT', value: ({ kind }) => KINDS[kind] },
      { title: 'NAME', value: ({ name, alias }) => alias ?? name },
      { title: 'RESULT', value: ({ outcome }) => outcome },
      { title: 'DETAIL', value: ({ problem, done }) => (done === undefined ? problem : `${problem}: ${done}`) },
    ],
    undefined,
  );
  const stray = orphans.map(({ path, reason }) => printable(`${path}: ${reason}`));
  const counts = `${formatCount(models, 'model')}: ${findings.length === 0 ? 'registry and disk agree' : summary(findings)}`;
  const others =
    stray.length === 0 ? [] : [['Other files, left alone:', ...stray.map((line) => `  ${line}`)].join('\n')];
  return [...(findings.length === 0 ? [] : [table]), ...others, counts].join('\n\n');
}

function summary(findings: readonly RegistryFinding[]): string {
  const open = unmended(findings).length;
  const mended = findings.length - open;
  return [...(open > 0 ? [`${open} not right`] : []), ...(mended > 0 ? [`${mended} mended`] : [])].join(', ');
}

function unmended(findings: readonly RegistryFinding[]): RegistryFinding[] {
  return findings.filter(({ outcome }) => outcome === 'found' || outcome === 'marked');
}

/** The error when something does not fit and was not mended; undefined when all is right. */
export function registryError({ findings }: RegistryReport, fix: boolean): ModelRtcError | undefined {
  const open = unmended(findings);
  if (open.length === 0) return undefined;
  const advice = fix
    ? 'Fetch the models that are marked from a worker that has them: model-rtc client repair-model REF --from SESSION.'
    : 'Mend it: model-rtc client validate --registry --fix. Nothing is deleted.';
  const sentence = `${formatCount(open.length, 'thing')} between the registry and the disk ${open.length === 1 ? 'is' : 'are'} not right. ${advice}`;
  return new ModelRtcError('verification_failed', sentence, { details: { names: open.map(({ name }) => name) } });
}
