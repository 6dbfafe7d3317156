import { type Clock, cancelledBy, ModelRtcError, pause } from '@model-rtc/protocol';
import { brokeOff } from './errors.ts';
import { otherPart } from './http-file.ts';
import { FIRST_RETRY_MS, LONGEST_RETRY_MS, MAX_RETRIES } from './limits.ts';
import type { ByteRange, FileAnswer, RemoteFile } from './types.ts';

export interface ReadingOptions {
  readonly clock: Clock;
  /** From 0 to below 1: spreads the attempts of many clients. */
  readonly random: () => number;
  readonly signal?: AbortSignal | undefined;
  /** The longest wait that a busy server may ask for; after a longer one the `busy` error is thrown. */
  readonly patienceMs: number;
  /** Called before a wait that a busy server asks for. */
  readonly onBusy?: ((waitMs: number) => void) | undefined;
}

/** Counts attempts that brought nothing, and waits between them. */
export class Retries {
  readonly #options: ReadingOptions;
  #failures = 0;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  /** Something came, so that a failure after it is the first one. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Waits before another attempt. @throws ModelRtcError the error, when there is none */
  async after(thrown: unknown): Promise<void> {
    const { signal, clock, random, patienceMs, onBusy } = this.#options;
    if (signal?.aborted) throw cancelledBy(signal, thrown);
    const error = ModelRtcError.from(thrown);
    const backOffMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
    const waitMs = error.code === 'busy' ? askedWaitMs(error, backOffMs) : backOffMs;
    const mayHelp = error.recoversBy('reconnect') || (error.code === 'busy' && waitMs <= patienceMs);
    if (!mayHelp || this.#failures >= MAX_RETRIES) throw error;
    this.#failures++;
    const spreadMs = waitMs + (waitMs / 2) * random();
    if (error.code === 'busy') onBusy?.(spreadMs);
    await pause(spreadMs, clock, signal);
  }
}

/** How long a busy server asks to wait. @param otherwise - when it does not say */
export function askedWaitMs({ details }: ModelRtcError, otherwise: number): number {
  return typeof details?.retryAfterMs === 'number' ? Math.max(details.retryAfterMs, otherwise) : otherwise;
}

/** Reads a small file as a whole, again after a failure. @throws ModelRtcError `invalid_model` for a larger one, else as `read` does */
export async function readWhole(
  file: RemoteFile,
  { etag, maxBytes, ...options }: ReadingOptions & { readonly maxBytes: number; readonly etag?: string | undefined },
): Promise<
  | Exclude<FileAnswer, { kind: 'found' }>
  | { readonly kind: 'found'; readonly bytes: Uint8Array; readonly etag: string | undefined }
> {
  const retries = new Retries(options);
  for (;;) {
    try {
      const answer = await file.read({ signal: options.signal, etag });
      if (answer.kind !== 'found') return answer;
      const bytes = await readLimited(answer.body, maxBytes, file.url);
      if (answer.totalBytes !== undefined && answer.totalBytes !== bytes.length) throw brokeOff(file.url);
      return { kind: 'found', bytes, etag: answer.etag };
    } catch (error) {
      await retries.after(error);
    }
  }
}

/** All of a body. @throws ModelRtcError `invalid_model` for a longer one than it may be, else as the body does */
export async function readLimited(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  url: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > maxBytes) {
      throw new ModelRtcError(
        'invalid_model',
        `${url} is longer than ${maxBytes} bytes; nothing was stored. Check the address.`,
      );
    }
    pieces.push(piece.slice());
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export interface PartReading extends ReadingOptions {
  /** The bytes that the whole file should have. */
  readonly fileBytes: number;
  /** Takes the bytes in order; `at` is their place in the file. They may be overwritten afterwards. */
  readonly take: (bytes: Uint8Array, at: number) => void;
  /** Called when the server answers with the whole file. */
  readonly onWhole?: (() => void) | undefined;
}

/**
 * Reads a part of a file, and goes on where an attempt broke off.
 * @returns `wrong` when the file has another length than it should
 * @throws ModelRtcError as `read` does, when attempt after attempt brought nothing
 */
export async function readPart(
  file: RemoteFile,
  { offset, length }: ByteRange,
  { fileBytes, take, onWhole, ...options }: PartReading,
): Promise<'done' | 'missing' | 'wrong'> {
  const retries = new Retries(options);
  const end = offset + length;
  for (let at = offset; ; ) {
    try {
      const answer = await file.read({ signal: options.signal, range: { offset: at, length: end - at } });
      if (answer.kind !== 'found') return 'missing';
      if (answer.totalBytes !== undefined && answer.totalBytes !== fileBytes) return 'wrong';
      if (answer.offset > at) throw otherPart(file.url);
      if (answer.offset !== at) onWhole?.();
      let position = answer.offset;
      for await (const bytes of answer.body) {
        // The end of what was asked for is read as well, or the connection could not be used again.
        if (at >= end && bytes.length > 0) break;
        const wanted = bytes.subarray(Math.max(0, at - position), Math.max(0, end - position));
        position += bytes.length;
        if (wanted.length === 0) continue;
        take(wanted, at);
        at += wanted.length;
        retries.progressed();
      }
      if (at >= end) return 'done';
      throw brokeOff(file.url);
    } catch (error) {
      await retries.after(error);
    }
  }
}
