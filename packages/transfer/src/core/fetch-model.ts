import { type Clock, type Log, type Manifest, silentLog, systemClock } from '@model-rtc/protocol';
import type { ModelDisk } from './disk/disk-port.ts';
import type { Layout } from './layout/layout.ts';
import { verifiedFiles } from './layout/verified-files.ts';
import type { RateLimiter } from './rate/rate-limiter.ts';
import { FetchSession } from './session/fetch-session.ts';
import { type OnTransferProgress, ProgressReporter } from './session/progress.ts';
import { TransferStats } from './session/stats.ts';
import { Watchdog } from './session/watchdog.ts';
import type { ChunkSource } from './sources/source.ts';
import { poolOf, type SourcePool } from './sources/source-pool.ts';

/** Where a transfer gets its bytes, and how it is watched and slowed down. */
export interface FetchControls {
  /**
   * Where to fetch from. Sources of a pool may come and go; until it is ended, the transfer waits when there are none, for as
   * long as it may wait for data at all. A list is a pool that is ended.
   */
  readonly sources: readonly ChunkSource[] | SourcePool;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnTransferProgress | undefined;
  /** Limits the rate at which sources are asked for bytes. */
  readonly limiter?: RateLimiter | undefined;
  /** Shared by all attempts of one command, so that the time without data counts on across them. */
  readonly watchdog?: Watchdog | undefined;
  readonly log?: Log | undefined;
}

export interface FetchModelOptions extends FetchControls {
  readonly layout: Layout;
  readonly disk: ModelDisk;
  readonly clock?: Clock | undefined;
}

/**
 * Fetches a model onto a disk and verifies every chunk and every file. What came before an error stays on the disk, so the same
 * call resumes.
 * @returns the model's files with the SHA-256 of each
 * @throws ModelRtcError the last source's error when none is left (`network` mostly), `verification_failed`,
 * `source_changed`, `storage_full`, `timeout` after 2 min without data, `cancelled`
 */
export async function fetchModel(options: FetchModelOptions): Promise<Manifest['files']> {
  const { layout, disk, sources, signal, limiter, onProgress, clock = systemClock, log = silentLog } = options;
  const present = disk.present();
  const stats = new TransferStats(layout);
  for (const [id, there] of present.entries()) if (there === 1) stats.resumed(id);
  const progress = new ProgressReporter(stats, clock, onProgress);
  const { watchdog = new Watchdog(clock) } = options;
  try {
    const session = new FetchSession(
      { layout, stats, progress, watchdog, clock, log },
      {
        ...{ pool: poolOf(sources), local: [], unsure: [], limiter, signal, present },
        openDisk: (onEvents) => disk.open(onEvents),
      },
    );
    const files = verifiedFiles(layout, await session.run());
    progress.enter({ state: 'completed' });
    return files;
  } finally {
    progress.end();
  }
}
