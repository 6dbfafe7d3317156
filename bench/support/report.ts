import { cpus, totalmem } from 'node:os';
import { type Row, reaches } from './benchmark.ts';

/** What one benchmark gave. */
export interface Outcome {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

const HEADINGS = ['', 'measured', 'baseline', 'ratio', 'required', ''];

/** The outcomes as a table for people. */
export function renderTable(outcomes: readonly Outcome[]): string {
  const blocks = outcomes.map(({ title, rows }) => ({
    title,
    cells: [HEADINGS, ...rows.map(cellsOf)],
    reasons: rows.flatMap(({ what, failed }) => (failed === undefined ? [] : [`  FAILED ${what}: ${failed}`])),
  }));
  const all = blocks.flatMap(({ cells }) => cells);
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((cells) => (cells[column] ?? '').length)));
  return blocks
    .map(({ title, cells, reasons }) =>
      [title, ...cells.map((row) => `  ${renderRow(row, widths)}`.trimEnd()), ...reasons].join('\n'),
    )
    .join('\n\n');
}

function renderRow(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
    .join('  ');
}

function cellsOf(row: Row): string[] {
  const verdict = reaches(row);
  return [
    row.what,
    row.value === undefined ? '' : `${round(row.value)} ${row.unit}`,
    row.baseline === undefined ? '' : `${round(row.baseline)} ${row.unit}`,
    row.ratio === undefined ? '' : row.ratio.toFixed(2),
    requirementOf(row),
    row.failed !== undefined ? 'FAILED' : verdict === undefined ? '' : verdict ? 'ok' : 'MISSED',
  ];
}

function requirementOf({ required, unit }: Row): string {
  if (required === undefined) return '';
  const suffix = required.of === 'ratio' ? '' : ` ${unit}`;
  const bounds = [
    ...(required.atLeast === undefined ? [] : [`>= ${required.atLeast}${suffix}`]),
    ...(required.atMost === undefined ? [] : [`<= ${required.atMost}${suffix}`]),
  ];
  return bounds.join(', ');
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

/** The outcomes for programs, and what they were measured on. */
interface Results {
  readonly machine: ReturnType<typeof thisMachine>;
  readonly outcomes: readonly MeasuredOutcome[];
}

interface MeasuredOutcome extends Outcome {
  /** When it was measured, baseline and all; others of the file may be of another hour. */
  readonly finishedAt: string;
}

/**
 * The file of results with this outcome in it. Of what is there already, the outcomes of other benchmarks stay, in their
 * order, if they were measured on a machine like this one.
 * @param present the file as it is; undefined when there is none
 */
export function withOutcome(present: string | undefined, outcome: Outcome, finishedAt: Date): string {
  const machine = thisMachine();
  const before = present === undefined ? undefined : (JSON.parse(present) as Results);
  const isSame = JSON.stringify(before?.machine) === JSON.stringify(machine);
  const outcomes = isSame ? [...(before?.outcomes ?? [])] : [];
  const measured: MeasuredOutcome = { ...outcome, finishedAt: finishedAt.toISOString() };
  const at = outcomes.findIndex(({ name }) => name === outcome.name);
  outcomes.splice(at < 0 ? outcomes.length : at, at < 0 ? 0 : 1, measured);
  return `${JSON.stringify({ machine, outcomes } satisfies Results, null, 2)}\n`;
}

function thisMachine() {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    // What the kernel keeps for itself differs by some kilobytes from start to start.
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}
