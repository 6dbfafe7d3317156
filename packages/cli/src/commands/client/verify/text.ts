import type { RepairModelResult } from '@model-rtc/client';
import { formatBytes } from '@model-rtc/protocol';
import type { Orphan, VerifiedModel } from '@model-rtc/registry';
import { formatCount, formatDuration, printable, shortName } from '../../../console/format.ts';
import { type Column, renderTable } from '../../../console/table.ts';

/** The outcome for one model. */
export interface VerifiedLine extends VerifiedModel {
  readonly repair?:
    | (Pick<RepairModelResult, 'outcome' | 'transferredBytes' | 'reusedBytes'> & { readonly from?: string | undefined })
    | { readonly outcome: 'failed'; readonly reason: string }
    | undefined;
}

export type VerifyTotals = Readonly<
  Record<'models' | 'bytes' | 'damaged' | 'incomplete' | 'repaired' | 'orphans' | 'seconds', number>
>;

/** Problems listed for one model; --json has up to a hundred. */
const LISTED_PROBLEMS = 5;

const MODEL_COLUMNS: readonly Column<VerifiedLine>[] = [
  { title: 'MODEL', value: ({ entry }) => entry.alias ?? entry.id },
  { title: 'STATE', value: stateOf },
  { title: 'SIZE', value: ({ entry }) => formatBytes(entry.size), align: 'right' },
  { title: 'FILES', value: ({ entry }) => String(entry.fileCount), align: 'right', optional: 2 },
  { title: 'DAMAGED', value: damageOf, align: 'right', optional: 1 },
];

const ORPHAN_COLUMNS: readonly Column<Orphan>[] = [
  { title: 'ORPHAN', value: ({ path }) => path },
  { title: 'SIZE', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
  { title: 'WHY', value: ({ reason }) => reason },
];

/** The last ones are what a person should look at. */
const STATES: readonly VerifiedLine['state'][] = ['sound', 'unsettled', 'incomplete', 'damaged'];

/** The result of a verification, damaged models last: they end up right above the prompt. */
export function renderVerified(
  found: {
    readonly models: readonly VerifiedLine[];
    readonly orphans: readonly Orphan[];
    readonly totals: VerifyTotals;
  },
  width: number | undefined,
): string {
  const { models, orphans, totals } = found;
  if (models.length === 0 && orphans.length === 0) return '';
  const sorted = [...models].sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
  const sections = [
    models.length === 0 ? '' : renderTable(sorted, MODEL_COLUMNS, width),
    sorted.flatMap(detailsOf).join('\n'),
    orphans.length === 0 ? '' : renderTable(orphans, ORPHAN_COLUMNS, width),
    summary(totals),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function stateOf({ state, repair }: VerifiedLine): string {
  if (repair?.outcome === 'repaired') return 'repaired';
  return state === 'unsettled' ? 'in training' : state;
}

function damageOf({ damagedFiles, damagedBytes }: VerifiedLine): string {
  if (damagedFiles === 0) return '';
  return damagedBytes > 0 ? formatBytes(damagedBytes) : formatCount(damagedFiles, 'file');
}

function detailsOf({ entry, problems, damagedFiles, settled, repair, incomplete }: VerifiedLine): string[] {
  const listed = problems
    .slice(0, LISTED_PROBLEMS)
    .map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`));
  const more = damagedFiles > listed.length ? [`and ${formatCount(damagedFiles - listed.length, 'more file')}`] : [];
  const repaired = repair === undefined ? [] : [repairText(repair)];
  const lacks = incomplete.slice(0, LISTED_PROBLEMS).map(({ path, problem }) => `${path} ${problem}`);
  const unlisted = incomplete.length - lacks.length;
  const others = unlisted > 0 ? [`and ${formatCount(unlisted, 'more file')}`] : [];
  const lines = [...listed, ...more, ...repaired, ...settled, ...lacks, ...others].map(
    (line) => `  ${printable(line)}`,
  );
  return lines.length === 0 ? [] : [shortName(entry), ...lines];
}

function repairText(repair: NonNullable<VerifiedLine['repair']>): string {
  if (repair.outcome === 'failed') return `not repaired: ${repair.reason}`;
  const { transferredBytes, reusedBytes, from } = repair;
  if (transferredBytes === 0 || from === undefined) return `repaired from this machine (${formatBytes(reusedBytes)})`;
  return `repaired: ${formatBytes(transferredBytes)} from ${from}, ${formatBytes(reusedBytes)} from this machine`;
}

function summary({ models, bytes, damaged, incomplete, repaired, orphans, seconds }: VerifyTotals): string {
  const parts = [
    ...(damaged > 0 ? [`${damaged} damaged`] : []),
    ...(incomplete > 0 ? [`${incomplete} incomplete`] : []),
    ...(repaired > 0 ? [`${repaired} repaired`] : []),
    ...(damaged + incomplete + repaired === 0 && models > 0 ? ['nothing is damaged'] : []),
    ...(orphans > 0 ? [formatCount(orphans, 'orphan')] : []),
  ];
  const what = `${formatCount(models, 'model')}, ${formatBytes(bytes)}`;
  return `${what} in ${formatDuration(seconds * 1000)}: ${parts.join(', ')}`;
}
