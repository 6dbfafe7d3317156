import Table from 'cli-table3';
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
    colWidths: widths.map((columnWidth, i) => columnWidth + (i === widths.length - 1 ? 0 : GAP)),
    colAligns: shown.map((column) => column.align ?? 'left'),
    chars: PLAIN,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of body) table.push(row.map((cell, i) => shorten(cell, widths[i] ?? 0, shown[i]?.align === 'right')));
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
  return columns.map((column, i) => Math.max(column.title.length, 1, ...body.map((row) => row[i]?.length ?? 0)));
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

function shorten(cell: string, width: number, right: boolean): string {
  const text = cell.length <= width ? cell : `${cell.slice(0, Math.max(0, width - 1))}…`;
  // The gap is part of the column's width, so right-aligned cells leave it free themselves.
  return right ? `${text.padStart(width)}${' '.repeat(GAP)}` : text;
}

const NONE = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
  'middle',
];
const PLAIN = Object.fromEntries(NONE.map((part) => [part, '']));
