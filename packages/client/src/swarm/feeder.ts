import { type Digest, type ErrorCode, ModelRtcError } from '@model-rtc/protocol';
import { type PeerEncodings, peerSources, type SourcePool, type Watchdog } from '@model-rtc/transfer';
import type { Peer } from '@model-rtc/transport';
import type { WorkerNews } from '../progress.ts';
import { closedError, FIRST_RETRY_MS, GIVE_UP_MS, LONGEST_RETRY_MS } from '../session-link.ts';
import { backOff } from '../time.ts';
import type { WorkerServices } from '../worker-services.ts';
import type { WorkerNames } from './worker-names.ts';

export interface FeederOptions {
  readonly digest: Digest;
  readonly pool: SourcePool;
  readonly names: WorkerNames;
  /** How long nothing came from anywhere. */
  readonly watchdog: Watchdog;
  /** How chunks come from all workers of the transfer. */
  readonly encodings: PeerEncodings;
  readonly signal: AbortSignal;
  readonly onNews: (news: WorkerNews) => void;
  /** Told of each failure after which the worker is tried again. */
  readonly onFailure: (error: ModelRtcError) => void;
}

/** How it ended with one worker. */
export type FeederEnd =
  /** The transfer is over. */
  | { readonly kind: 'over' }
  /** The worker does not have the model, or has it no more. */
  | { readonly kind: 'absent'; readonly error: ModelRtcError }
  | { readonly kind: 'failed'; readonly error: ModelRtcError };

/** What another connection to the worker may mend. */
const PASSING: readonly ErrorCode[] = ['network', 'worker_offline', 'timeout', 'busy', 'cancelled'];

/**
 * Keeps one worker's lanes in the pool of a transfer while the worker has the model: connects, looks whether it is there,
 * and connects again when the connection was lost. The transfer goes on meanwhile, with what the other workers give.
 */
export async function feed(worker: WorkerServices, options: FeederOptions): Promise<FeederEnd> {
  const { signal, watchdog, names, onNews } = options;
  const { link, time } = worker;
  const tell = (state: WorkerNews['state'], reason?: string): void =>
    onNews({ name: names.of(worker.known), state, reason });
  const told = new Set<WorkerNews['state']>();
  let retryMs = FIRST_RETRY_MS;
  for (;;) {
    const startedMs = time.nowMs();
    let wasServing = false;
    let error: ModelRtcError;
    try {
      const peer = await link.peer(signal);
      await assertThere(peer, options);
      names.keep(worker.known);
      tell('serving');
      wasServing = true;
      error = await serveUntilLost(worker, peer, options);
      // Where only the model changed the connection is as good as before: the transfer may begin again over it.
      if (!signal.aborted && error.code !== 'source_changed') await link.drop(peer);
    } catch (thrown) {
      error = ModelRtcError.from(thrown);
    }
    if (signal.aborted) return { kind: 'over' };
    if (link.isClosed) return { kind: 'failed', error: closedError(error) };
    const end = endOf(error);
    if (end !== undefined) {
      tell(end.kind === 'absent' ? 'absent' : 'dropped', error.message);
      return end;
    }
    options.onFailure(error);
    if (watchdog.quietMs >= GIVE_UP_MS) return { kind: 'failed', error };
    const state = wasServing ? 'lost' : error.code === 'busy' ? 'busy' : 'offline';
    if (wasServing || !told.has(state)) tell(state, error.message);
    // That it cannot be reached is what the loss of its connection says.
    told.add(state === 'lost' ? 'offline' : state);
    // A connection that carried something before it broke is worth an immediate new one.
    if (watchdog.quietMs < time.nowMs() - startedMs) retryMs = FIRST_RETRY_MS;
    await backOff(time, retryMs, signal).catch(() => {});
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }
}

/** @returns undefined when the worker is worth another try. */
function endOf(error: ModelRtcError): FeederEnd | undefined {
  if (error.code === 'not_found') return { kind: 'absent', error };
  return PASSING.includes(error.code) ? undefined : { kind: 'failed', error };
}

/** @throws ModelRtcError `not_found` when the worker does not have the model, not even a part of it */
async function assertThere(peer: Peer, { digest, signal }: FeederOptions): Promise<void> {
  const { entry } = await peer.request('get_model_info', { ref: digest }, { signal });
  if (entry.digest === digest) return;
  throw new ModelRtcError('not_found', `${peer.remote.agent.name} has another model now.`);
}

/** @returns why nothing can be asked of the peer any more, over none of its lanes. */
async function serveUntilLost(
  { known }: WorkerServices,
  peer: Peer,
  { pool, names, digest, encodings, signal }: FeederOptions,
): Promise<ModelRtcError> {
  const origin = known.key;
  let why: ModelRtcError | undefined;
  let onIdle = (): void => {};
  const idle = new Promise<void>((resolve) => {
    onIdle = resolve;
  });
  const stopListening = pool.onChange((change) => {
    if (change.type !== 'removed' || change.source.origin !== origin) return;
    why = change.error ?? why;
    // Of a lane that was lost another one may be there in a moment; a lane that was given up stays open and unused.
    if (change.error !== undefined && !pool.sources.some((source) => source.origin === origin)) onIdle();
  });
  const stop = peerSources(pool, peer, digest, names.of(known), { origin, encodings });
  signal.addEventListener('abort', onIdle, { once: true });
  try {
    const closed = await Promise.race([peer.closed.then((error) => error ?? endedError()), idle]);
    return closed ?? why ?? endedError();
  } finally {
    signal.removeEventListener('abort', onIdle);
    stopListening();
    stop();
  }
}

function endedError(): ModelRtcError {
  return new ModelRtcError('network', 'The worker ended the connection.');
}
