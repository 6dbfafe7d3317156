import type { Digest, PushEvent } from '@model-rtc/protocol';
import { limitTransfer, type Prioritized } from '@model-rtc/transfer';
import type { Peer } from '@model-rtc/transport';
import type { OfferOptions } from './chunk-offers.ts';
import { overConnections } from './over-connections.ts';
import type { OnModelProgress } from './progress.ts';
import type { RemoteWorker } from './remote-worker.ts';
import { isBulk, type SpeedOptions, type TransferSpeed } from './transfer-speed.ts';
import type { TransferStats } from './transfer-stats.ts';

/** What the worker is offered, and how it is asked to pull it. */
export interface Push<R> extends Pick<OfferOptions, 'openModel'> {
  readonly digest: Digest;
  readonly size: number;
  ask(peer: Peer, options: AskOptions): Promise<R>;
}

interface AskOptions {
  readonly signal: AbortSignal | undefined;
  readonly onEvent: (event: PushEvent) => void;
}

export interface PushTask {
  readonly stats: TransferStats;
  readonly speed: TransferSpeed;
  readonly transfer: Prioritized;
  readonly options: SpeedOptions & {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: OnModelProgress | undefined;
  };
}

/** Pushes over a new connection whenever one is lost; the worker keeps what earlier connections brought. */
export async function pushUntilThere<R>(
  worker: RemoteWorker,
  push: Push<R>,
  task: PushTask,
): Promise<{ readonly result: R; readonly peer: Peer }> {
  const limiter = limitTransfer(task.transfer, task.speed.limiter, worker.limits.bySize, push.size);
  return await overConnections(worker, task.stats, task.options, async (peer) => ({
    result: await pushOnce(worker, peer, { ...push, limiter }, task),
    peer,
  }));
}

async function pushOnce<R>(
  worker: RemoteWorker,
  peer: Peer,
  push: Push<R> & Pick<OfferOptions, 'limiter'>,
  task: PushTask,
): Promise<R> {
  const { stats, speed, options } = task;
  const { digest, openModel, limiter } = push;
  stats.begin();
  if (isBulk(push)) peer.expectBulk();
  const offer = { digest, openModel, limiter, compress: options.compress };
  return await worker.offers.during(offer, () =>
    push.ask(peer, {
      signal: options.signal,
      onEvent: (event) => {
        const progress = stats.noteRemote(event, peer.lanes, worker.known.name);
        speed.moved(progress.transferredBytes, peer.lanes);
        options.onProgress?.({ type: 'remote', ...progress });
      },
    }),
  );
}
