import type { Digest } from '@model-rtc/protocol';
import type { LIST_PATH, SIGNATURES_PATH } from '../format/paths.ts';

/** The files beside `data/`: the list of models, and the signatures over it. */
export type NamedFile = typeof LIST_PATH | typeof SIGNATURES_PATH;

/** One of them, as it lies in a registry. */
export interface StoredFile {
  readonly bytes: Uint8Array;
  /** Differs for any two contents. */
  readonly tag: string;
}

/** A file in `data/`. */
export interface StoredData {
  readonly hash: Digest;
  readonly bytes: number;
  /** When it was written, in milliseconds since 1970. */
  readonly writtenAtMs: number;
}

/**
 * Where a registry is published to. A file in `data/` is named by its content, so it is written once and never changed; only the
 * named files are replaced, each by one publisher at a time.
 */
export interface PublishTarget {
  /** Its address, for people. */
  readonly name: string;
  /** How many of its files may be written or removed at once. */
  readonly concurrency: number;
  /** The time by the clock that dates its files, in milliseconds since 1970. */
  nowMs(signal: AbortSignal | undefined): Promise<number>;
  /**
   * Finds out whether it can be published to, before hours of work.
   * @throws ModelRtcError `refused` with the reason; `not_found`, `network`, `storage`
   */
  prepare(signal: AbortSignal | undefined): Promise<void>;
  /**
   * Whether the file is there whole, with this many bytes. If so, its age begins anew, so that nobody who removes old files that no
   * version names removes it before the list names it.
   * @throws ModelRtcError `storage`, `network`, `refused`
   */
  claim(hash: Digest, bytes: number, signal: AbortSignal | undefined): Promise<boolean>;
  /**
   * Writes a file that readers see whole or not at all. The bytes may be overwritten once it resolves.
   * @throws ModelRtcError `storage_full`, `storage`, `network`, `refused`
   */
  put(hash: Digest, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void>;
  /** @returns the file as it is now; undefined when there is none yet */
  readNamed(file: NamedFile, signal: AbortSignal | undefined): Promise<StoredFile | undefined>;
  /**
   * Replaces the file if it is still the one of this tag, or if there still is none.
   * @returns false when somebody else was faster; nothing is written then
   */
  writeNamed(
    file: NamedFile,
    bytes: Uint8Array,
    tag: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<boolean>;
  /** All files in `data/`, in any order. */
  listData(signal: AbortSignal | undefined): AsyncIterable<StoredData>;
  /** Removes what publishers that were killed left, if nothing was written to it since. @returns the bytes that it took */
  clearUnfinished(beforeMs: number, signal: AbortSignal | undefined): Promise<number>;
  /** Removes a file from `data/`, unless it was written or claimed since. @returns whether it was removed */
  removeOlder(hash: Digest, beforeMs: number, signal: AbortSignal | undefined): Promise<boolean>;
}
