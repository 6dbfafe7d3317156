import type { Digest } from '@model-rtc/protocol';
import type { OnModelProgress } from '../progress.ts';
import type { SpeedOptions } from '../transfer-speed.ts';
import type { TransferReport } from '../transfer-stats.ts';

/** How data and results are moved. */
export interface DataOptions extends SpeedOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnModelProgress | undefined;
}

/** What of a job's data had to be sent, in bytes. Together they are the size of the data. */
export interface SentData {
  readonly transferredBytes: number;
  /** The worker had them in other data, in models, or whole. */
  readonly reusedBytes: number;
  /** An earlier attempt had sent them. */
  readonly resumedBytes: number;
}

/** What a worker has of a job's results, before a byte of them is fetched. */
export interface FoundResults {
  readonly form: 'file' | 'folder';
  /** What the runner called its file; undefined for a folder. */
  readonly fileName: string | undefined;
}

/** Where results go: a path, or what decides it once it is known what they are. */
export type ResultsTarget = string | ((found: FoundResults) => string | Promise<string>);

export interface FetchResultsOptions extends DataOptions {
  /** Replace what is there. */
  readonly force?: boolean | undefined;
}

export interface FetchedResults extends TransferReport {
  readonly path: string;
  /** `same`: the very same content was there already. */
  readonly outcome: 'fetched' | 'same';
  readonly form: 'file' | 'folder';
  readonly digest: Digest;
  readonly bytes: number;
  readonly fileCount: number;
}
