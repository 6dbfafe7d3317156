import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Job, type JobEvent, type JobState, ModelRtcError } from '@model-rtc/protocol';
import { Attempts } from '@model-rtc/transfer';
import type { Peer } from '@model-rtc/transport';
import type { RemoteWorker } from '../remote-worker.ts';
import { retryOptions } from '../retry-options.ts';
import { TransferStats } from '../transfer-stats.ts';
import { requireJobs } from './ask-worker.ts';
import type { FollowOptions } from './types.ts';

/** A job may run for days: a follower waits for its worker far longer than a transfer does. */
const LONGEST_ABSENCE_MS = 30 * 60_000;
/** A job's place in the queue is no event, since it changes with each job before it. */
const POSITION_INTERVAL_MS = 3_000;

/** See `WorkerJobs.follow`. */
export async function followJob(worker: RemoteWorker, id: string, options: FollowOptions): Promise<Job> {
  const { clock, link } = worker;
  const stats = new TransferStats(clock, options.maxReconnectMs);
  const attempts = new Attempts(link, retryOptions(worker, stats, options));
  const reader = new EventReader(options);
  const stopWatching = watchPosition(worker, id, reader, options);
  let heardMs = clock.nowMs();
  try {
    for (;;) {
      let peer: Peer | undefined;
      try {
        peer = await link.reach(options.signal);
        requireJobs(peer);
        return await followOver(peer, id, reader, options);
      } catch (error) {
        // While it was connected nothing had to come: a silent job is a job that works.
        if (peer !== undefined) heardMs = clock.nowMs();
        if (clock.nowMs() - heardMs < LONGEST_ABSENCE_MS) stats.watchdog.progressed();
        if (peer !== undefined && (await lostOnlyLane(worker, peer, error))) continue;
        await attempts.recover(error, peer);
      }
    }
  } finally {
    stopWatching();
  }
}

async function followOver(peer: Peer, id: string, reader: EventReader, options: FollowOptions): Promise<Job> {
  const { signal, wait } = options;
  const { job } = await peer.request(
    'follow_job',
    { id, fromEvent: reader.next, wait },
    { signal, onEvent: ({ events }) => reader.take(events) },
  );
  return job;
}

/** The lane that carried the events was lost or made way for a better one; the worker is still there. */
async function lostOnlyLane({ link }: RemoteWorker, peer: Peer, error: unknown): Promise<boolean> {
  if (ModelRtcError.from(error).code !== 'network') return false;
  // A request fails before its peer has ended with the last lane.
  await nextTurn();
  return link.current === peer && peer.openLanes().length > 0;
}

/** Passes each event on once, however often it comes. */
class EventReader {
  /** The number of the next event. */
  next: number;
  state: JobState | undefined;
  readonly #onEvents: FollowOptions['onEvents'];

  constructor({ fromEvent = 1, onEvents }: FollowOptions) {
    this.next = fromEvent;
    this.#onEvents = onEvents;
  }

  take(events: readonly JobEvent[]): void {
    const fresh = events.filter(({ number }) => number >= this.next);
    const last = fresh.at(-1);
    if (last === undefined) return;
    this.next = last.number + 1;
    for (const event of fresh) if (event.type === 'state') this.state = event.state;
    this.#onEvents?.(fresh);
  }
}

/** Asks now and then where in the queue the job is, while it waits there. @returns how to stop */
function watchPosition(
  { link, clock }: RemoteWorker,
  id: string,
  reader: EventReader,
  { onPosition, signal }: FollowOptions,
): () => void {
  if (onPosition === undefined) return () => {};
  let told: number | undefined;
  const ask = async (): Promise<void> => {
    if ((reader.state ?? 'queued') !== 'queued' || signal?.aborted) return;
    const { position } = (await link.current?.request('get_job', { id }, { signal }))?.job ?? {};
    if (position === undefined || position === told) return;
    told = position;
    onPosition(position);
  };
  // Whoever follows the job hears of a lost connection by other means.
  return clock.every(POSITION_INTERVAL_MS, () => void ask().catch(() => {}));
}
