import type { Clock, Log } from '@model-rtc/protocol';
import type { DiskEvent, DiskPort } from '../disk/disk-port.ts';
import type { Layout } from '../layout/layout.ts';
import type { RateLimiter } from '../rate/rate-limiter.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { LocalSource } from '../sources/local-chunks.ts';
import type { SourcePool } from '../sources/source-pool.ts';
import type { ProgressReporter } from './progress.ts';
import type { RangeRules } from './range-rules.ts';
import type { TransferStats } from './stats.ts';
import type { Watchdog } from './watchdog.ts';

export interface FetchParts {
  readonly layout: Layout;
  readonly schedule: Schedule;
  /** When some chunks have no digest: which origins may be asked for them. */
  readonly rules: RangeRules | undefined;
  readonly stats: TransferStats;
  readonly progress: ProgressReporter;
  readonly watchdog: Watchdog;
  readonly clock: Clock;
  readonly log: Log;
}

export interface FetchTask {
  /** Sources that can give any chunk; they may come and go. */
  readonly pool: SourcePool;
  /** Sources on this machine, each asked for its own chunks only. */
  readonly local: readonly LocalSource[];
  /** Chunks that may be in the files already, though the journal does not say so. */
  readonly unsure: readonly number[];
  /** Limits the rate at which the sources of the pool are asked for bytes. */
  readonly limiter: RateLimiter | undefined;
  readonly signal: AbortSignal | undefined;
  /** By id: 1 for each chunk that is on the disk already. */
  readonly present: Uint8Array;
  readonly openDisk: (onEvents: (events: readonly DiskEvent[]) => void) => DiskPort;
}
