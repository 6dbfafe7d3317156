import type { Lock } from '@model-rtc/files';
import type { Digest, ModelContents, ModelEntry } from '@model-rtc/protocol';
import type { Layout } from '../../core/layout/layout.ts';
import type { OwnFiles } from './own-files.ts';

/** The paths in one model's staging folder. */
export interface StagingPaths {
  readonly folder: string;
  readonly files: string;
  readonly manifest: string;
  readonly journal: string;
  /** What is known of the model besides its files, for those who ask what is being fetched here. */
  readonly entry: string;
  /** The copy of a file that another model shares, while it is made. */
  readonly parted: string;
  readonly lock: string;
}

export interface OpenStagingOptions {
  readonly staging: string;
  /** The contents' key. */
  readonly key: Digest;
  readonly contents: ModelContents;
  readonly layout: Layout;
  /** The folder's lock from `lockStaging`. It is released when opening fails. */
  readonly held: Lock;
  /** What the other side says about the model. */
  readonly entry?: ModelEntry | undefined;
  /** Where whole files of the model may be on this machine. */
  readonly ownFiles?: OwnFiles | undefined;
  readonly signal?: AbortSignal | undefined;
}
