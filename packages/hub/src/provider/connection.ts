import { askedWaitMs, type RemoteFile, readPart } from '@model-rtc/http';
import { type Clock, ModelRtcError } from '@model-rtc/protocol';
import {
  type ChunkSource,
  deliverTo,
  type FetchOptions,
  type FetchResult,
  Slots,
  type WantedChunk,
} from '@model-rtc/transfer';
import { MAX_WHOLE_FILE_BYTES, REQUESTS_PER_CONNECTION, SHORT_WAIT_MS } from '../limits.ts';
import { type FileRead, planReads } from './plan-reads.ts';

/** What a source asks for with one request at most. */
const READ_BYTES = 4 * 1024 * 1024;

/** The files of a repository, and what all connections to it know. */
export interface HubFiles {
  readonly name: string;
  readonly origin: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Undefined for a path that the repository does not have. */
  find(path: string): { readonly file: RemoteFile; readonly size: number } | undefined;
  /** A busy hub is asked nothing before this time. */
  notBeforeMs: number;
  /** Connections that failed since bytes last came over any. */
  failures: number;
}

/**
 * One connection to a hub, as a source: the transfer measures each, gives a slow one less to do, and asks another one for what a stuck
 * one owes. @param number - among the connections of this transfer
 */
export function hubConnection(files: HubFiles, number: number): ChunkSource {
  const connection = new Connection(files);
  return {
    name: files.name,
    origin: files.origin,
    lane: { id: number, kind: 'http', engine: undefined },
    fetch: (wanted, options) => connection.fetch(wanted, options),
    onStall: (error) => connection.end(error),
  };
}

class Connection {
  readonly #files: HubFiles;
  readonly #slots = new Slots(REQUESTS_PER_CONNECTION);
  readonly #ended = new AbortController();

  constructor(files: HubFiles) {
    this.#files = files;
  }

  /** Ends its requests: it delivers nothing. */
  end(error: ModelRtcError): void {
    this.#ended.abort(error);
  }

  async fetch(wanted: readonly WantedChunk[], options: FetchOptions): Promise<FetchResult> {
    options.signal.throwIfAborted();
    const over = new AbortController();
    const signal = AbortSignal.any([options.signal, over.signal, this.#ended.signal]);
    const missing = new Set<number>();
    const readOne = async (read: FileRead): Promise<void> => {
      const leave = await this.#slots.enter(signal);
      const isGiven = await this.#read(read, { ...options, signal }).finally(leave);
      if (!isGiven) for (const { index } of read.parts) missing.add(index);
    };
    try {
      await Promise.all(planReads(wanted, READ_BYTES).map(readOne));
    } finally {
      over.abort(new ModelRtcError('cancelled', 'Another part of this request failed.'));
    }
    return missing.size === 0 ? {} : { missing: [...missing] };
  }

  /** False when the hub does not have the file, or is busy for long, so that others should be asked. */
  async #read(read: FileRead, { signal, onPiece }: FetchOptions): Promise<boolean> {
    const { clock, random } = this.#files;
    if (clock.nowMs() < this.#files.notBeforeMs) return false;
    const found = this.#files.find(read.path);
    if (found === undefined) return false;
    const { file, size } = found;
    const onWhole = (): void => {
      if (size > MAX_WHOLE_FILE_BYTES) throw noParts(file.url);
    };
    try {
      const reading = { clock, random, signal, onWhole, fileBytes: size, patienceMs: SHORT_WAIT_MS };
      const deliver = deliverTo(read.parts, onPiece);
      const take = (bytes: Uint8Array, at: number): void => {
        this.#files.failures = 0;
        deliver(bytes, at);
      };
      const outcome = await readPart(file, read, { ...reading, take });
      if (outcome === 'wrong') throw notAsListed(read.path);
      return outcome === 'done';
    } catch (thrown) {
      const error = ModelRtcError.from(thrown);
      if (error.code !== 'busy' || signal.aborted) throw error;
      this.#files.notBeforeMs = clock.nowMs() + askedWaitMs(error, SHORT_WAIT_MS);
      return false;
    }
  }
}

function notAsListed(path: string): ModelRtcError {
  const sentence = `${path} has another size at the hub than the hub's list of files says. Try again later.`;
  return new ModelRtcError('verification_failed', sentence, { details: { path } });
}

function noParts(url: string): ModelRtcError {
  const sentence = `${new URL(url).host} sends no parts of files, so that ${url} cannot be fetched. Set HF_ENDPOINT to another hub.`;
  return new ModelRtcError('refused', sentence);
}
