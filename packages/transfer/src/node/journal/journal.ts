import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { atStorageSync } from '@model-rtc/files';
import { chunkCount, isRange, type Layout, rawDigest } from '../../core/layout/layout.ts';
import { MAX_JOURNAL_BYTES } from '../../core/limits.ts';

/**
 * The journal: which chunks were written and right. The first line names the chunk list; then each chunk has a line with its
 * id and the first 8 hex characters of its digest. The line is written after the chunk's bytes, so that a killed process
 * leaves no line without its bytes. A torn or damaged line does not have the right digest, and is ignored.
 *
 * A range has no digest: its line has `?` and the first 8 hex characters of the SHA-256 of what was written, and another line
 * has `-` when it turned out wrong. The last line counts. Older versions ignore both, and fetch the range again.
 */
const TITLE = 'model-rtc-journal-1';

export function journalTitle(layout: Pick<Layout, 'listHash'>): string {
  return `${TITLE} ${layout.listHash}\n`;
}

/** What a journal says. */
export interface Journalled {
  /** By id: 1 for each chunk that was written. */
  readonly present: Uint8Array;
  /** By id, for ranges: the start of the SHA-256 of what was written. Empty where the layout has none. */
  readonly sums: Uint32Array;
}

/** Returns which chunks the journal has; undefined when it is not there or belongs to another chunk list. */
export function readJournal(path: string, layout: Layout): Uint8Array | undefined {
  return readJournalled(path, layout)?.present;
}

/** The same, with the sums of ranges. */
export function readJournalled(path: string, layout: Layout): Journalled | undefined {
  const text = readWhole(path);
  const title = journalTitle(layout);
  if (text === undefined || !text.startsWith(title)) return undefined;
  const journalled = nothingJournalled(layout);
  readLines(text, title.length, layout, journalled);
  return journalled;
}

export function nothingJournalled(layout: Layout): Journalled {
  return { present: new Uint8Array(chunkCount(layout)), sums: new Uint32Array(layout.ranges?.length ?? 0) };
}

/**
 * Takes over what the lines say from this place on. Text after the last line end is torn, or still being written.
 * @returns the place behind the last line end
 */
export function readLines(text: string, from: number, layout: Layout, journalled: Journalled): number {
  for (let start = from; ; ) {
    const end = text.indexOf('\n', start);
    if (end === -1) return start;
    readLine(text.slice(start, end), layout, journalled);
    start = end + 1;
  }
}

/** Appends lines in batches: a write for each of 10,000 tiny chunks would cost more than the chunks. */
export class JournalWriter {
  readonly #fd: number;
  readonly #path: string;
  readonly #layout: Layout;
  #lines = '\n';

  /** Opens a journal that has its title. It begins with a line end, which closes a torn line. */
  constructor(path: string, layout: Layout) {
    this.#path = path;
    this.#fd = atStorageSync(path, 'opened', () => openSync(path, 'a', 0o600));
    this.#layout = layout;
  }

  add(id: number, sum?: number): void {
    this.#lines += `${id} ${sum === undefined ? shortDigest(id, this.#layout) : `?${toHex(sum)}`}\n`;
  }

  remove(range: number): void {
    this.#lines += `${range} -\n`;
  }

  flush(): void {
    if (this.#lines === '' || this.#lines === '\n') return;
    const bytes = Buffer.from(this.#lines, 'latin1');
    atStorageSync(this.#path, 'written', () => {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
    });
    this.#lines = '';
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Adds chunks to a journal that has its title. */
export function noteChunks(path: string, layout: Layout, chunks: Iterable<number>): void {
  const journal = new JournalWriter(path, layout);
  try {
    for (const id of chunks) journal.add(id);
    journal.flush();
  } finally {
    journal.close();
  }
}

function readLine(line: string, layout: Layout, { present, sums }: Journalled): void {
  const [, number, range = '', rest = ''] = /^(\d{1,7}) (?:(\?|-))?([0-9a-f]{8})?$/.exec(line) ?? [];
  const id = Number(number);
  if (number === undefined || id >= chunkCount(layout) || isRange(layout, id) !== (range !== '')) return;
  if (range === '-') present[id] = 0;
  else if (range === '?' && rest !== '') {
    present[id] = 1;
    sums[id] = Number.parseInt(rest, 16);
  } else if (range === '' && rest === shortDigest(id, layout)) present[id] = 1;
}

function shortDigest(id: number, layout: Layout): string {
  const [a = 0, b = 0, c = 0, d = 0] = rawDigest(layout, id);
  return toHex(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
}

function toHex(word: number): string {
  return word.toString(16).padStart(8, '0');
}

function readWhole(path: string): string | undefined {
  try {
    if (statSync(path).size > MAX_JOURNAL_BYTES) return undefined;
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
