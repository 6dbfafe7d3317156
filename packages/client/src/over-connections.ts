import { Attempts } from '@model-rtc/transfer';
import type { Peer } from '@model-rtc/transport';
import type { OnModelProgress } from './progress.ts';
import type { RemoteWorker } from './remote-worker.ts';
import { retryOptions } from './retry-options.ts';
import type { TransferStats } from './transfer-stats.ts';

/**
 * Does work over a connection to the worker, and again over another one whenever it is lost. The work keeps its own state, so that it
 * goes on where it was.
 * @throws ModelRtcError what the work throws and another connection cannot mend; `timeout` when nothing came for as long as the stats' watchdog
 * allows
 */
export async function overConnections<T>(
  worker: RemoteWorker,
  stats: Pick<TransferStats, 'watchdog'>,
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: OnModelProgress | undefined },
  work: (peer: Peer) => Promise<T>,
): Promise<T> {
  const attempts = new Attempts(worker.link, retryOptions(worker, stats, options));
  for (;;) {
    let peer: Peer | undefined;
    try {
      peer = await worker.link.reach(options.signal);
      return await work(peer);
    } catch (error) {
      await attempts.recover(error, peer);
    }
  }
}
