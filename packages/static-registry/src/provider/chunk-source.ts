import { askedWaitMs, readPart } from '@model-rtc/http';
import { type Clock, ModelRtcError } from '@model-rtc/protocol';
import {
  type ChunkSource,
  deliverTo,
  type FetchOptions,
  type FetchResult,
  Slots,
  type WantedChunk,
} from '@model-rtc/transfer';
import { dataPath } from '../format/paths.ts';
import type { StaticManifest } from '../format/static-manifest.ts';
import { MAX_CONCURRENCY, MAX_WHOLE_CHUNK_BYTES, MAX_WHOLE_CHUNKS, SHORT_WAIT_MS } from '../limits.ts';
import { fileIn, type RegistryStore } from '../store/types.ts';
import { type ChunkRead, fileOffsets, planReads } from './plan-reads.ts';

/** What one source is asked ahead for at most, so that all its connections have some of it. */
const WINDOW_BYTES = 16 * 1024 * 1024;

export interface StaticSourceOptions {
  readonly name: string;
  readonly origin?: string | undefined;
  readonly store: RegistryStore;
  readonly manifest: StaticManifest;
  /** How many requests run at once, from 1 to 16. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Makes a model in a static registry a source of its chunks, however the transfer cuts them. */
export function staticSource(options: StaticSourceOptions): ChunkSource {
  const { name, origin, store } = options;
  const reader = new ChunkReader(options);
  return {
    ...{ name, origin },
    lane: { id: 0, kind: store.url.startsWith('file:') ? 'file' : 'http', engine: undefined },
    fetch: (wanted, fetchOptions) => reader.fetch(wanted, fetchOptions),
  };
}

class ChunkReader {
  readonly #options: StaticSourceOptions;
  readonly #offsets: ReadonlyMap<string, number>;
  readonly #slots: Slots;
  readonly #maxReadBytes: number;
  /** Chunks of a store that sends no parts, the oldest first. */
  readonly #whole = new Map<number, Promise<Uint8Array | undefined>>();
  #sendsParts = true;
  /** A busy store is asked nothing before this time. */
  #notBeforeMs = 0;

  constructor(options: StaticSourceOptions) {
    this.#options = options;
    this.#offsets = fileOffsets(options.manifest);
    this.#slots = new Slots(options.concurrency);
    this.#maxReadBytes = Math.ceil(WINDOW_BYTES / Math.min(MAX_CONCURRENCY, Math.max(4, options.concurrency)));
  }

  async fetch(wanted: readonly WantedChunk[], options: FetchOptions): Promise<FetchResult> {
    options.signal.throwIfAborted();
    const reads = planReads(this.#options.manifest, this.#offsets, wanted, this.#maxReadBytes);
    const over = new AbortController();
    const signal = AbortSignal.any([options.signal, over.signal]);
    const missing = new Set<number>();
    try {
      await Promise.all(
        reads.map(async (read) => {
          const leave = await this.#slots.enter(signal);
          const isGiven = await this.#readChunk(read, { ...options, signal }).finally(leave);
          if (!isGiven) for (const { index } of read.parts) missing.add(index);
        }),
      );
    } finally {
      over.abort(new ModelRtcError('cancelled', 'Another part of this request failed.'));
    }
    return missing.size === 0 ? {} : { missing: [...missing] };
  }

  /** False when the store is busy for long, so that others should be asked meanwhile. */
  async #readChunk(read: ChunkRead, options: FetchOptions): Promise<boolean> {
    const { clock } = this.#options;
    if (clock.nowMs() < this.#notBeforeMs) return false;
    try {
      const { onWrong } = options;
      const outcome = await this.#readOnce(read, options);
      if (outcome === 'wrong') for (const { index } of read.parts) onWrong?.(index);
      return true;
    } catch (thrown) {
      const error = ModelRtcError.from(thrown);
      if (error.code !== 'busy' || options.signal.aborted) throw error;
      this.#notBeforeMs = clock.nowMs() + askedWaitMs(error, SHORT_WAIT_MS);
      return false;
    }
  }

  async #readOnce(read: ChunkRead, options: FetchOptions): Promise<'done' | 'missing' | 'wrong'> {
    if (this.#sendsParts || read.chunkBytes > MAX_WHOLE_CHUNK_BYTES) {
      return await this.#readPart(read, options.signal, deliverTo(read.parts, options.onPiece));
    }
    const whole = await this.#wholeChunk(read, options.signal);
    if (whole === undefined) return 'missing';
    deliverTo(read.parts, options.onPiece)(whole.subarray(read.offset, read.offset + read.length), read.offset);
    return 'done';
  }

  async #readPart(
    { chunk, chunkBytes, offset, length }: Pick<ChunkRead, 'chunk' | 'chunkBytes' | 'offset' | 'length'>,
    signal: AbortSignal,
    take: (bytes: Uint8Array, at: number) => void,
  ): Promise<'done' | 'missing' | 'wrong'> {
    const { store, manifest, clock, random } = this.#options;
    const hash = manifest.chunks[chunk];
    if (hash === undefined) return 'missing';
    const range = { offset, length };
    return await readPart(fileIn(store, dataPath(hash)), range, {
      ...{ clock, random, signal, take, fileBytes: chunkBytes, patienceMs: SHORT_WAIT_MS },
      onWhole: () => {
        this.#sendsParts = false;
      },
    });
  }

  /** The parts of a chunk are asked for one after the other, so it is kept for the next one. */
  async #wholeChunk(read: ChunkRead, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { chunk, chunkBytes } = read;
    const reading = this.#whole.get(chunk) ?? this.#readWhole(chunk, chunkBytes, signal);
    this.#whole.delete(chunk);
    this.#whole.set(chunk, reading);
    const [oldest] = this.#whole.keys();
    if (this.#whole.size > MAX_WHOLE_CHUNKS && oldest !== undefined) this.#whole.delete(oldest);
    try {
      return await reading;
    } catch (error) {
      this.#whole.delete(chunk);
      // The request that read it was cancelled, and this one was not.
      if (signal.aborted || ModelRtcError.from(error).code !== 'cancelled') throw error;
      return await this.#readWhole(chunk, chunkBytes, signal);
    }
  }

  async #readWhole(chunk: number, chunkBytes: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const whole = new Uint8Array(chunkBytes);
    const read = { chunk, chunkBytes, offset: 0, length: chunkBytes };
    const outcome = await this.#readPart(read, signal, (bytes, at) => whole.set(bytes, at));
    return outcome === 'done' ? whole : undefined;
  }
}
