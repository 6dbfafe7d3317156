import stringWidth from 'string-width';
import { printable } from './format.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right' | undefined;
  /** Never cut short, however narrow the terminal is: an id that people copy. */
  readonly isWhole?: boolean | undefined;
  /** Given up first when the terminal is narrow; the lowest number goes last. Without one, the column stays. */
  readonly optional?: number | undefined;
}

const GAP = 2;
const NARROWEST = 6;
const ELLIPSIS = '…';

/** A column with its cells as text, the title first. */
interface TextColumn {
  readonly cells: readonly string[];
  readonly width: number;
  readonly align: 'left' | 'right';
  readonly isWhole: boolean;
  readonly optional: number | undefined;
}

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
  const texts = columns.map((column) => toText(rows, column));
  const shown = width === undefined ? texts : columnsThatFit(texts, width);
  const widths = fit(shown, width);
  const laidOut = shown.map(({ cells, align }, i) => cells.map((cell) => pad(cell, widths[i] ?? 0, align)));
  const lines = Array.from({ length: rows.length + 1 }, (_, line) => laidOut.map((cells) => cells[line] ?? ''));
  return lines.map((cells) => cells.join(' '.repeat(GAP)).trimEnd()).join('\n');
}

function toText<Row>(
  rows: readonly Row[],
  { title, value, align = 'left', isWhole = false, optional }: Column<Row>,
): TextColumn {
  const cells = [title, ...rows.map((row) => printable(value(row)))];
  const width = cells.reduce((widest, cell) => Math.max(widest, widthOf(cell)), 0);
  return { cells, width, align, isWhole, optional };
}

/** Most cells are ASCII, where each character takes one column; looking closer takes far longer. */
function widthOf(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text);
}

function columnsThatFit(columns: readonly TextColumn[], width: number): readonly TextColumn[] {
  const byValue = [...columns].sort((a, b) => (a.optional ?? -1) - (b.optional ?? -1));
  const kept = new Set<TextColumn>();
  let used = 0;
  for (const column of byValue) {
    if (column.optional !== undefined && used + column.width + GAP > width) continue;
    kept.add(column);
    used += column.width + GAP;
  }
  return columns.filter((column) => kept.has(column));
}

function fit(columns: readonly TextColumn[], width: number | undefined): number[] {
  const fitted = columns.map((column) => column.width);
  const total = () => fitted.reduce((sum, own) => sum + own + GAP, -GAP);
  const isCut = (i: number): boolean => columns[i]?.isWhole === false && (fitted[i] as number) > NARROWEST;
  while (width !== undefined && total() > width) {
    const widest = Math.max(...fitted.filter((_, i) => isCut(i)));
    const cut = fitted.findIndex((own, i) => own === widest && isCut(i));
    if (cut === -1) break;
    fitted[cut] = widest - 1;
  }
  return fitted;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const own = widthOf(text);
  const shown = own > width ? cut(text, width) : text;
  const space = ' '.repeat(Math.max(0, width - (shown === text ? own : widthOf(shown))));
  return align === 'left' ? shown + space : space + shown;
}

/** As much of a text as fits, with a sign that there is more; what people see as one character is not taken apart. */
function cut(text: string, width: number): string {
  let kept = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += widthOf(segment);
    if (used > width - ELLIPSIS.length) break;
    kept += segment;
  }
  return kept + ELLIPSIS;
}
