import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Layout } from '../../core/layout/layout.ts';
import { MAX_JOURNAL_BYTES } from '../../core/limits.ts';
import { type Journalled, journalTitle, nothingJournalled, readLines } from './journal.ts';

/** Follows a journal that another process writes. Each time it reads only what came since: a large model has a megabyte of lines. */
export class JournalFollower {
  readonly #path: string;
  readonly #layout: Layout;
  /** The file that was read, and how far; another file in its place is read from its beginning. */
  #file = '';
  #readBytes = 0;
  #journalled: Journalled | undefined;
  #version = 0;

  constructor(path: string, layout: Layout) {
    this.#path = path;
    this.#layout = layout;
  }

  /** By id: 1 for each chunk that was written, as of the last look. Undefined where there is no journal of this chunk list. */
  get present(): Uint8Array | undefined {
    return this.#journalled?.present;
  }

  /** Another number each time that something came. */
  get version(): number {
    return this.#version;
  }

  /** Reads what came. A journal that cannot be read is none. */
  look(): void {
    try {
      const fd = openSync(this.#path, 'r');
      try {
        this.#read(fd);
      } finally {
        closeSync(fd);
      }
    } catch {
      this.#begin('');
    }
  }

  #read(fd: number): void {
    const { ino, birthtimeMs, size } = fstatSync(fd);
    // A journal that is begun anew often gets the number of the one that was deleted.
    const file = `${ino} ${birthtimeMs}`;
    if (size > MAX_JOURNAL_BYTES) {
      this.#begin('');
      return;
    }
    if (file !== this.#file || size < this.#readBytes) this.#begin(file);
    if (size === this.#readBytes) return;
    const text = textAt(fd, this.#readBytes, size);
    const title = journalTitle(this.#layout);
    const isBegun = this.#journalled !== undefined;
    // It may be the journal of another chunk list.
    if (!isBegun && !text.startsWith(title)) return;
    this.#journalled ??= nothingJournalled(this.#layout);
    const read = readLines(text, isBegun ? 0 : title.length, this.#layout, this.#journalled);
    if (read > 0) this.#version += 1;
    this.#readBytes += read;
  }

  #begin(file: string): void {
    if (this.#journalled !== undefined) this.#version += 1;
    this.#file = file;
    this.#readBytes = 0;
    this.#journalled = undefined;
  }
}

function textAt(fd: number, from: number, to: number): string {
  const bytes = Buffer.alloc(to - from);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read) {
    read = readSync(fd, bytes, length, bytes.length - length, from + length);
  }
  return bytes.toString('latin1', 0, length);
}
