import { type Clock, deferred, isUnavailable, type Log, ModelRtcError, unavailableError } from '@model-rtc/protocol';

import type { Lane } from '../lane/lane.ts';
import { rankOf } from '../peer/links.ts';
import type { Peer } from '../peer/peer.ts';
import type { PeerAssembly } from './assemble-peer.ts';
import type { AskLane, AttemptKind, AttemptLane, AttemptOptions } from './components.ts';
import { HEAD_START_MS } from './limits.ts';

export interface LaneRaceOptions extends Omit<AttemptOptions, 'signal'> {
  /** The kinds to try, the better first. */
  readonly kinds: readonly AttemptKind[];
  readonly assembly: PeerAssembly;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly onTry: (kind: AttemptKind) => void;
  /** Opens a lane. */
  readonly attempt: AttemptLane;
}

/**
 * Tries all kinds of lanes at once, with a head start for the better ones. The first on which both sides said hello makes the
 * peer; better ones that open later join it, and the others are abandoned.
 */
export class LaneRace {
  readonly #options: LaneRaceOptions;
  readonly #going = new Map<AttemptKind, AbortController>();
  readonly #tried = new Set<AttemptKind>();
  readonly #failed = new Map<AttemptKind, ModelRtcError>();
  readonly #first = deferred<Peer>();
  readonly #settled = deferred<void>();
  #bestRank = Number.POSITIVE_INFINITY;
  #stopTimers: (() => void)[] = [];

  constructor(options: LaneRaceOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is being tried any more. It never rejects. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /**
   * The peer of the first lane.
   * @throws ModelRtcError what the best kind failed with, when all have failed; `cancelled` by the signal.
   */
  async run(): Promise<Peer> {
    const { kinds, signal } = this.#options;
    for (const kind of kinds) this.#going.set(kind, new AbortController());
    const onAbort = () => this.#giveUp(() => true, ModelRtcError.from(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    const [first, ...later] = kinds;
    if (first !== undefined) void this.#try(first);
    for (const kind of later) this.#tryAfter(kind, HEAD_START_MS[kind as keyof typeof HEAD_START_MS] ?? 0);
    if (signal.aborted) onAbort();
    try {
      return await this.#first.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Nothing more is tried. */
  stop(): void {
    this.#giveUp(() => true, new ModelRtcError('cancelled', 'The connection is over.'));
  }

  #tryAfter(kind: AttemptKind, delayMs: number): void {
    this.#stopTimers.push(this.#options.clock.after(delayMs, () => void this.#try(kind)));
  }

  async #try(kind: AttemptKind): Promise<void> {
    const controller = this.#going.get(kind);
    if (controller === undefined || this.#tried.has(kind)) return;
    this.#tried.add(kind);
    const { assembly, onTry, attempt } = this.#options;
    onTry(kind);
    let lane: Lane | undefined;
    try {
      lane = await attempt(kind, { ...this.#options, signal: controller.signal });
      if (controller.signal.aborted) throw ModelRtcError.from(controller.signal.reason);
      const stop = abortWith(lane, controller.signal);
      const peer = await assembly.add(lane).finally(stop);
      this.#onPeer(kind, peer);
    } catch (thrown) {
      lane?.abort();
      this.#onFailure(kind, ModelRtcError.from(thrown));
    }
  }

  #onPeer(kind: AttemptKind, peer: Peer): void {
    this.#going.delete(kind);
    this.#bestRank = Math.min(this.#bestRank, rankOf(kind));
    this.#first.resolve(peer);
    const over = new ModelRtcError('cancelled', 'A better connection came up.');
    this.#giveUp((other) => rankOf(other) > this.#bestRank, over);
    this.#endIfSettled();
  }

  #onFailure(kind: AttemptKind, error: ModelRtcError): void {
    this.#going.delete(kind);
    this.#failed.set(kind, error);
    this.#options.log.debug({ kind, code: error.code, reason: error.message }, 'a kind of connection did not come up');
    // Do not wait for a kind that has failed.
    const [next] = [...this.#going.keys()].filter((other) => !this.#tried.has(other));
    if (next !== undefined && [...this.#going.keys()].every((other) => !this.#tried.has(other))) void this.#try(next);
    this.#endIfSettled();
  }

  #giveUp(which: (kind: AttemptKind) => boolean, reason: ModelRtcError): void {
    for (const [kind, controller] of [...this.#going]) {
      if (!which(kind)) continue;
      if (!this.#tried.has(kind)) this.#onFailureUntried(kind, reason);
      controller.abort(reason);
    }
    this.#endIfSettled();
  }

  #onFailureUntried(kind: AttemptKind, reason: ModelRtcError): void {
    this.#going.delete(kind);
    this.#failed.set(kind, reason);
  }

  #endIfSettled(): void {
    if (this.#going.size > 0) return;
    for (const stop of this.#stopTimers.splice(0)) stop();
    this.#first.reject(this.#telling());
    // The peer, or the error, was delivered by now.
    this.#first.promise.catch(() => {});
    this.#settled.resolve();
  }

  /** Picks the most telling error: first a refusal, last that a kind is unavailable. */
  #telling(): ModelRtcError {
    const errors = this.#options.kinds.map((kind) => this.#failed.get(kind)).filter((error) => error !== undefined);
    const tried = errors.filter((error) => !isUnavailable(error));
    const refusal = tried.find((error) => !error.recoversBy('reconnect', 'stopped'));
    return refusal ?? tried[0] ?? errors[0] ?? new ModelRtcError('network', 'No connection came up; try again.');
  }
}

function abortWith(lane: Lane, signal: AbortSignal): () => void {
  const onAbort = () => lane.abort(ModelRtcError.from(signal.reason));
  signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

/** @param ask how each kind of lane is asked for on this platform */
export function attemptLaneWith(ask: Readonly<Partial<Record<AttemptKind, AskLane>>>): AttemptLane {
  return async (kind, options) => {
    const askForLane = ask[kind];
    if (askForLane === undefined) throw unavailableError(`Connections of kind ${kind} cannot be made from here.`);
    const { channel } = options;
    const lane = channel.nextLane();
    const mailbox = channel.open(lane);
    try {
      return await askForLane(lane, mailbox, options);
    } finally {
      channel.done(lane);
    }
  };
}
