import { ModelRtcError } from '@model-rtc/protocol';
import type { Peer } from '@model-rtc/transport';
import { overConnections } from '../over-connections.ts';
import type { RemoteWorker } from '../remote-worker.ts';
import { TransferStats } from '../transfer-stats.ts';
import type { WorkOptions } from './types.ts';

/** What a worker's hello names when it runs jobs. */
const CAPABILITY = 'jobs';

/**
 * Asks a worker about jobs, over another connection when one is lost.
 * @throws ModelRtcError what the work throws; `protocol_mismatch` when the worker runs no jobs
 */
export async function askWorker<T>(
  worker: RemoteWorker,
  options: WorkOptions,
  ask: (peer: Peer) => Promise<T>,
): Promise<T> {
  return await overConnections(
    worker,
    new TransferStats(worker.clock, options.maxReconnectMs),
    options,
    async (peer) => {
      requireJobs(peer);
      return await ask(peer);
    },
  );
}

/** @throws ModelRtcError `protocol_mismatch` for a worker that runs no jobs */
export function requireJobs({ remote: { capabilities, agent } }: Peer): void {
  if (capabilities.includes(CAPABILITY)) return;
  throw new ModelRtcError(
    'protocol_mismatch',
    `The worker ${agent.name} runs no jobs: its version of model-rtc (${agent.version}) does not know how. Upgrade model-rtc there.`,
    { details: { version: agent.version } },
  );
}
