import type { ModelFacts, ScannedFile } from './scanned-model.ts';

/** A folder as the layouts see it, without what the skip rules leave out. */
export interface FolderContents {
  /** Absolute. */
  readonly root: string;
  readonly files: readonly ScannedFile[];
  /** The files with a weights extension. */
  readonly weights: readonly ScannedFile[];
  file(path: string): ScannedFile | undefined;
}

/** What a layout makes of a folder that is laid out its way. */
export interface LayoutMatch {
  readonly facts: ModelFacts;
  /** Why a file is no part of a model of this layout; undefined for one that is. */
  leaveOut?(path: string): string | undefined;
}

/**
 * Reads a folder as one tool writes it; undefined when it is not laid out that way.
 * Throws ModelRtcError `invalid_model` when the tool's own configuration is there but cannot be understood.
 */
export type Layout = (folder: FolderContents) => Promise<LayoutMatch | undefined>;

/** Facts of which a layout tells nothing. */
export const NO_FACTS = { metrics: {}, hyperparameters: {}, versions: {}, status: 'completed' } as const;

/** The last time of which an ISO 8601 text has a year of four digits. */
const LAST_TIME_MS = Date.UTC(9999, 11, 31);

/** The time of a file's last change as an entry holds it; undefined for a time that no clock showed. */
export function modifiedAt(file: ScannedFile | undefined): string | undefined {
  const timeMs = file === undefined ? 0 : Number(file.mtimeNs / 1_000_000n);
  return timeMs > 0 && timeMs < LAST_TIME_MS ? new Date(timeMs).toISOString() : undefined;
}

/** The largest of some files. */
export function largest(files: readonly ScannedFile[]): ScannedFile | undefined {
  return files.reduce<ScannedFile | undefined>(
    (best, file) => (best && best.size >= file.size ? best : file),
    undefined,
  );
}
