import { Writable } from 'node:stream';
import type { ConsoleStream } from './runtime.ts';

/**
 * Standard output or standard error as a stream that never fails. What cannot be written, because the disk is full or its
 * reader has gone, is dropped: an agent goes on with its work. Once writing works again, `onRecovery` makes the line that says so.
 */
export class SafeStream extends Writable {
  readonly #target: ConsoleStream;
  readonly #onRecovery: ((lostWrites: number, error: Error) => string) | undefined;
  #lostWrites = 0;
  #error: NodeJS.ErrnoException | undefined;

  constructor(target: ConsoleStream, onRecovery?: (lostWrites: number, error: Error) => string) {
    super({ decodeStrings: false, defaultEncoding: 'utf8' });
    this.#target = target;
    this.#onRecovery = onRecovery;
    target.on('error', (error) => this.#lost(error));
  }

  get isTTY(): boolean {
    return this.#target.isTTY === true;
  }

  get columns(): number | undefined {
    return this.#target.columns;
  }

  /** Why something was not written; undefined while all was. */
  get error(): NodeJS.ErrnoException | undefined {
    return this.#error;
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, done: () => void): void {
    this.#target.write(chunk, encoding, (error) => {
      if (error !== null && error !== undefined) this.#lost(error);
      else this.#tellRecovery();
      done();
    });
  }

  #lost(error: Error): void {
    // The stream and the callback of a write both tell of the same error.
    if (this.#error !== error) this.#lostWrites += 1;
    this.#error = error;
  }

  #tellRecovery(): void {
    const lost = this.#lostWrites;
    if (lost === 0 || this.#onRecovery === undefined || this.#error === undefined) return;
    this.#lostWrites = 0;
    this.#target.write(this.#onRecovery(lost, this.#error));
  }
}
