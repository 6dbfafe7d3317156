import type { Digest, Manifest } from '@model-rtc/protocol';
import type { FileStat } from '../store/types.ts';

export interface FileProblem {
  /** The path inside the model; empty when it is the model's folder itself. */
  readonly path: string;
  readonly problem: string;
}

export interface CheckResult {
  readonly valid: boolean;
  /** The first 100. */
  readonly problems: FileProblem[];
}

/** The chunks of one model, read from its files. Reads may run in parallel; `close` waits for them. */
export interface ModelReader extends AsyncDisposable {
  readonly digest: Digest;
  readonly manifest: Manifest;
  /**
   * The bytes of a chunk, in `into` when it is large enough, otherwise in a buffer of their own.
   * @throws ModelRtcError `source_changed` naming the file when it is not as it was hashed, `not_found` when the chunk is
   *   not of this model.
   */
  readChunk(digest: Digest, into?: Uint8Array): Promise<Uint8Array>;
  /**
   * Bytes of the files laid end to end, from an offset on, until `into` is full.
   * @throws ModelRtcError `source_changed` as above, `not_found` for bytes behind the end
   */
  readAt(offset: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A registered model's folder. */
export interface ModelPlace {
  /** Absolute. */
  readonly path: string;
  /** Whether its files are links to originals elsewhere. */
  readonly linked: boolean;
}

/** A model's files laid end to end, as one run of bytes. */
export interface ModelFiles extends AsyncDisposable {
  readonly size: number;
  /**
   * @param offset bytes from the start of the first file
   * @param into filled from its start; its length says how many bytes to read
   * @throws ModelRtcError `source_changed` naming the file that is not as it was hashed
   */
  read(offset: number, into: Uint8Array): Promise<void>;
}

/** A registered model's files as they were noted when they were hashed. */
export interface RegisteredModel {
  readonly place: ModelPlace;
  readonly manifest: Manifest;
  /** In the order of the manifest's files. */
  readonly stats: readonly FileStat[];
}
