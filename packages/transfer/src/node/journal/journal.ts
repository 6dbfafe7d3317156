import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { chunkCount, type Layout, rawDigest } from '../../core/layout/layout.ts';
import { MAX_JOURNAL_BYTES } from '../../core/limits.ts';

/**
 * The journal: which chunks were written and right. First a line that names the chunk list, then one line a chunk: its id
 * and the first 8 hex characters of its digest. A line is written after the chunk's bytes were, so that a killed process
 * leaves no line without its bytes; a torn or damaged line does not carry the right digest, and is passed over.
 */
const TITLE = 'model-rtc-journal-1';

export function journalTitle(layout: Pick<Layout, 'listHash'>): string {
  return `${TITLE} ${layout.listHash}\n`;
}

/** Says which chunks the journal has, or undefined when it is not there or is of another chunk list. */
export function readJournal(path: string, layout: Layout): Uint8Array | undefined {
  const text = readWhole(path);
  const title = journalTitle(layout);
  if (text === undefined || !text.startsWith(title)) return undefined;
  const present = new Uint8Array(chunkCount(layout));
  // The text after the last line end is torn.
  for (let start = title.length; ; ) {
    const end = text.indexOf('\n', start);
    if (end === -1) return present;
    const id = chunkOfLine(text.slice(start, end), layout);
    if (id !== undefined) present[id] = 1;
    start = end + 1;
  }
}

/** Appends lines in batches: a write for each of 10,000 tiny chunks would cost more than the chunks. */
export class JournalWriter {
  readonly #fd: number;
  readonly #layout: Layout;
  #lines = '\n';

  /** Opens a journal that `startJournal` made. The first line end closes a torn line. */
  constructor(path: string, layout: Layout) {
    this.#fd = openSync(path, 'a', 0o600);
    this.#layout = layout;
  }

  add(id: number): void {
    this.#lines += lineOf(id, this.#layout);
  }

  flush(): void {
    if (this.#lines === '' || this.#lines === '\n') return;
    const bytes = Buffer.from(this.#lines, 'latin1');
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
    this.#lines = '';
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function lineOf(id: number, layout: Layout): string {
  return `${id} ${shortDigest(id, layout)}\n`;
}

function chunkOfLine(line: string, layout: Layout): number | undefined {
  const match = /^(\d{1,7}) ([0-9a-f]{8})$/.exec(line);
  const id = Number(match?.[1]);
  if (match === null || id >= chunkCount(layout)) return undefined;
  return match[2] === shortDigest(id, layout) ? id : undefined;
}

function shortDigest(id: number, layout: Layout): string {
  const [a = 0, b = 0, c = 0, d = 0] = rawDigest(layout, id);
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0).toString(16).padStart(8, '0');
}

function readWhole(path: string): string | undefined {
  try {
    if (statSync(path).size > MAX_JOURNAL_BYTES) return undefined;
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
