import type { Lock } from '@model-rtc/files';
import type { Digest, ModelContents, ModelEntry } from '@model-rtc/protocol';
import type { Layout } from '../../core/layout/layout.ts';
import type { OwnFiles } from './own-files.ts';

/** Where the parts of one model's staging folder are. */
export interface StagingPaths {
  readonly folder: string;
  readonly files: string;
  readonly manifest: string;
  readonly journal: string;
  /** What is known of the model besides its files, for whoever asks what is fetched here. */
  readonly entry: string;
  /** A file that is being parted from another model's. */
  readonly parted: string;
  readonly lock: string;
}

export interface OpenStagingOptions {
  readonly staging: string;
  /** The contents' key. */
  readonly key: Digest;
  readonly contents: ModelContents;
  readonly layout: Layout;
  /** The folder's lock, which this process holds: of `lockStaging`. It is released when opening fails. */
  readonly held: Lock;
  /** What the other side says of the model. */
  readonly entry?: ModelEntry | undefined;
  /** Where whole files of it may be on this machine. */
  readonly ownFiles?: OwnFiles | undefined;
  readonly signal?: AbortSignal | undefined;
}
