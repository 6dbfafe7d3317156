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
  const blocks = outcomes.map(({ title, rows }) => ({ title, cells: [HEADINGS, ...rows.map(cellsOf)] }));
  const all = blocks.flatMap(({ cells }) => cells);
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((cells) => (cells[column] ?? '').length)));
  return blocks
    .map(({ title, cells }) => [title, ...cells.map((row) => `  ${renderRow(row, widths)}`.trimEnd())].join('\n'))
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
    `${round(row.value)} ${row.unit}`,
    row.baseline === undefined ? '' : `${round(row.baseline)} ${row.unit}`,
    row.ratio === undefined ? '' : row.ratio.toFixed(2),
    requirementOf(row),
    verdict === undefined ? '' : verdict ? 'ok' : 'MISSED',
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

/** The outcomes for programs, with what they were measured on. */
export function resultsFile(outcomes: readonly Outcome[], quick: boolean, finishedAt: Date): string {
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
  return `${JSON.stringify({ finishedAt: finishedAt.toISOString(), quick, machine, outcomes }, null, 2)}\n`;
}
