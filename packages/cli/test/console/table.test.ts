import { describe, expect, it } from '@jest/globals';
import { type Column, renderTable } from '../../src/console/table.ts';

interface Row {
  readonly name: string;
  readonly size: string;
  readonly note: string;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', value: (row) => row.name },
  { title: 'SIZE', value: (row) => row.size, align: 'right' },
  { title: 'NOTE', value: (row) => row.note, optional: 1 },
];
const ROWS: readonly Row[] = [
  { name: 'a', size: '1 B', note: 'first' },
  { name: 'a-longer-name', size: '100 MB', note: 'second, with more to say' },
];

describe('renderTable', () => {
  it('lines columns up, with two spaces between and none at the ends of lines', () => {
    expect(renderTable(ROWS, COLUMNS, undefined).split('\n')).toEqual([
      'NAME             SIZE  NOTE',
      'a                 1 B  first',
      'a-longer-name  100 MB  second, with more to say',
    ]);
  });

  it('gives up optional columns on a narrow terminal, then cuts the widest cells', () => {
    const narrow = renderTable(ROWS, COLUMNS, 24).split('\n');
    expect(narrow[0]).toBe('NAME             SIZE');
    const narrower = renderTable(ROWS, COLUMNS, 18).split('\n');
    expect(narrower[2]).toContain('…');
    for (const line of [...narrow, ...narrower]) expect(line.length).toBeLessThanOrEqual(24);
  });

  it.each([1, 20])('never cuts what people copy, however narrow the terminal is: %i columns', (width) => {
    const columns: readonly Column<Row>[] = [{ title: 'ID', value: () => '4f1c22ab', isWhole: true }, ...COLUMNS];
    for (const line of renderTable(ROWS, columns, width).split('\n').slice(1)) expect(line).toMatch(/^4f1c22ab /);
  });

  it('counts what a terminal shows, and takes no character apart', () => {
    const [, first, second] = renderTable(
      [
        { name: '日本語のモデル', size: '1 B', note: '' },
        { name: 'n', size: '2 B', note: '' },
      ],
      COLUMNS.slice(0, 2),
      12,
    ).split('\n');
    expect(first).toBe('日本…    1 B');
    expect(second).toBe('n        2 B');
  });

  it('never lets text of another machine steer the terminal', () => {
    const text = renderTable([{ name: '\u001b[31mred\u0007', size: '1\n2', note: '\u202egnp' }], COLUMNS, undefined);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
    expect(text.replace('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });
});
