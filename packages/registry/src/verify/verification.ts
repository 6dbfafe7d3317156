import type { Digest } from '@model-rtc/protocol';
import type { RegistryContext } from '../registry-context.ts';
import type { FileProblem, ImportResult, RegistryEntry, WorkOptions } from '../registry-types.ts';

export interface VerifyOptions {
  /** Sizes and times alone; no byte is read. */
  readonly quick?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly doneBytes: number; readonly totalBytes: number }) => void) | undefined;
}

export interface VerifiedModel {
  readonly entry: RegistryEntry;
  readonly valid: boolean;
  readonly problems: readonly FileProblem[];
  /** Of the manifest's chunk list: those whose bytes are not right. Empty with `quick`. */
  readonly damagedChunks: readonly number[];
  readonly damagedBytes: number;
}

/** Something in the registry's folders that no model of the registry owns. */
export interface Orphan {
  /** Absolute. */
  readonly path: string;
  readonly kind: 'model-folder' | 'staging' | 'temporary';
  /** As the end of a sentence. */
  readonly reason: string;
  readonly bytes: number;
}

/** Whether what the registry says is true of the disk, and putting it right. */
export interface Verification {
  /** Reads every byte: each chunk's and each file's SHA-256. */
  verify(ref: string, options?: VerifyOptions): Promise<VerifiedModel>;
  findOrphans(): Promise<readonly Orphan[]>;
  /**
   * Points a model at another place of the same files.
   * @throws ModelRtcError `verification_failed` when what lies there is not the model
   */
  relink(ref: string, path: string, options?: WorkOptions): Promise<ImportResult>;
  /** Whether a chunk's bytes, read from the model's own files however they look, are right. */
  rightChunks(digest: Digest, signal?: AbortSignal): Promise<ReadonlySet<Digest>>;
}

export function createVerification(_context: RegistryContext): Verification {
  return {} as Verification; // BEING BUILT
}
