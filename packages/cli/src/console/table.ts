import Table from 'cli-table3';
import stringWidth from 'string-width';
import { printable } from './format.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right' | undefined;
  /** Given up first when the terminal is narrow; the lowest number goes last. Without one, the column stays. */
  readonly optional?: number | undefined;
}

const GAP = 2;
const NARROWEST = 6;

/**
 * A plain table, no wider than the terminal: optional columns go first, then the widest one is cut short.
 *
 * @param width - the terminal's columns; undefined for no limit.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | undefined,
): string {
  const cells = (shown: readonly Column<Row>[]) =>
    rows.map((row) => shown.map((column) => printable(column.value(row))));
  const shown = width === undefined ? columns : columnsThatFit(columns, cells(columns), width);
  const body = cells(shown);
  const widths = fit(naturalWidths(shown, body), width);
  const table = new Table({
    head: shown.map((column) => column.title),
    colWidths: widths,
    colAligns: shown.map((column) => column.align ?? 'left'),
    chars: { ...NO_LINES, middle: ' '.repeat(GAP) },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  table.push(...body);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function columnsThatFit<Row>(columns: readonly Column<Row>[], body: string[][], width: number): readonly Column<Row>[] {
  const widths = naturalWidths(columns, body);
  const byValue = columns
    .map((column, i) => ({ column, width: widths[i] ?? 0 }))
    .sort((a, b) => (a.column.optional ?? -1) - (b.column.optional ?? -1));
  const kept = new Set<Column<Row>>();
  let used = 0;
  for (const { column, width: own } of byValue) {
    if (column.optional !== undefined && used + own + GAP > width) continue;
    kept.add(column);
    used += own + GAP;
  }
  return columns.filter((column) => kept.has(column));
}

function naturalWidths<Row>(columns: readonly Column<Row>[], body: string[][]): number[] {
  return columns.map((column, i) =>
    body.reduce((widest, row) => Math.max(widest, stringWidth(row[i] ?? '')), column.title.length),
  );
}

function fit(widths: number[], width: number | undefined): number[] {
  const fitted = [...widths];
  const total = () => fitted.reduce((sum, own) => sum + own + GAP, -GAP);
  while (width !== undefined && total() > width) {
    const widest = Math.max(...fitted);
    if (widest <= NARROWEST) break;
    fitted[fitted.indexOf(widest)] = widest - 1;
  }
  return fitted;
}

const LINES = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
];
const NO_LINES = Object.fromEntries(LINES.map((part) => [part, '']));
