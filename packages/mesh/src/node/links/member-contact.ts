import { cancelledBy, ModelRtcError, type ParamsInput } from '@model-rtc/protocol';
import type { Handlers, Peer, SealedVisit } from '@model-rtc/transport';
import type { SyncMessage, SyncReply } from '../../core/gossip/types.ts';
import type { MeshNodeOptions } from '../mesh-node-options.ts';
import { asMember, noMemberError } from './as-member.ts';
import { inTime } from './in-time.ts';

export interface MemberContactOptions
  extends Pick<MeshNodeOptions, 'connect' | 'visit' | 'isPassing' | 'sessions' | 'ownKey' | 'view' | 'clock' | 'log'> {
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
  /** An open connection with the member. */
  readonly peerOf: (key: string) => Peer | undefined;
  readonly urlsOf: (key: string) => readonly string[];
  readonly handlersFor: (key: string) => Handlers;
  /** Compares all that both have. @returns whether it went well */
  readonly compare: (key: string) => Promise<boolean>;
  /** Whether the member was compared with before. */
  readonly isCompared: (key: string) => boolean;
  /** A member was compared with, without a connection. */
  readonly onCompared: (key: string) => void;
}

/** How long connections are tried before a member is asked over its signaling server meanwhile. */
const HEAD_START_MS = 3_000;
/** The least time between two visits of a member over a signaling server, which others use too. */
const VISIT_AGAIN_MS = 60_000;
/** How long a member counts as reached that way: a visit that fails does not change that at once. */
const REACHED_MS = 180_000;
/** How long after it joined a member is surely not known to all. */
const NEW_MEMBER_MS = 10 * 60_000;
/** What is fetched of a roster to see whether a node is in it: it holds the most that a mesh has. */
const MEETING_PARTS = 7;
const MAX_MEETING_FETCHES = 32;
/** Failures that are the same with a connection and without. */
const ALSO_WITHOUT_LANE: readonly string[] = ['worker_offline', 'refused', 'token_revoked', 'cancelled'];

/** How this node talks with members: over a connection, and over signaling servers alone where none comes up. */
export class MemberContact {
  readonly #options: MemberContactOptions;
  readonly #visits = new Map<string, SealedVisit>();
  readonly #visitedAtMs = new Map<string, number>();
  /** When there was last a word over a signaling server, in either direction. */
  readonly #reachedAtMs = new Map<string, number>();
  readonly #running = new Map<string, Promise<boolean>>();

  constructor(options: MemberContactOptions) {
    this.#options = options;
  }

  /** Opens a connection; meanwhile, and where none comes up, the member is asked without one. @throws ModelRtcError */
  async connect(key: string, signal: AbortSignal): Promise<Peer> {
    const { clock, view, isPassing = false } = this.#options;
    if (view.scopesOf(key) === undefined) await this.#meet(key, signal);
    // A process that leaves again needs no connection if a few messages do.
    if (isPassing && (await this.#isTold(key, signal))) return await untilAborted(signal);
    const stopTimer = isPassing ? () => {} : clock.after(HEAD_START_MS, () => void this.#visitSoon(key, signal));
    try {
      return await this.#openLanes(key, signal);
    } catch (error) {
      const isHopeless = ALSO_WITHOUT_LANE.includes(ModelRtcError.from(error).code);
      if (!isPassing && !isHopeless) await this.#visitSoon(key, signal);
      throw error;
    } finally {
      stopTimer();
    }
  }

  /** @throws ModelRtcError `network` where there is neither a connection nor a visit; as `Peer.request` */
  async tell(key: string, message: SyncMessage): Promise<SyncReply> {
    // A roster has what a removed member must not know.
    if (this.#options.view.scopesOf(key) === undefined) throw noMemberError();
    const { wallMs, view } = this.#options;
    if (message.have === undefined && message.hashes === undefined) return await this.#ask(key, message);
    const askedMs = wallMs();
    const reply = await this.#ask(key, { ...message, sentAt: askedMs });
    // It was answered at some time between the two.
    const [earliestMs, latestMs] = [(reply.sentAt ?? 0) - wallMs(), (reply.sentAt ?? 0) - askedMs];
    if (reply.sentAt !== undefined) view.clocks.compared(key, Math.max(earliestMs, Math.min(latestMs, 0)));
    return reply;
  }

  async #ask(key: string, message: SyncMessage): Promise<SyncReply> {
    const params = message as ParamsInput<'mesh_gossip'>;
    const peer = this.#options.peerOf(key);
    if (peer !== undefined)
      return await inTime((options) => peer.request('mesh_gossip', params, options), this.#options.clock);
    return await this.#openVisit(key).request('mesh_gossip', params);
  }

  /** @throws as `tell` */
  async fetchParts(key: string, hashes: readonly string[]): Promise<readonly Uint8Array[]> {
    const params = { parts: [...hashes] };
    const peer = this.#options.peerOf(key);
    if (peer !== undefined)
      return (await inTime((options) => peer.request('mesh_fetch', params, options), this.#options.clock)).parts;
    return (await this.#openVisit(key).request('mesh_fetch', params)).parts;
  }

  isWithoutLane(key: string): boolean {
    return this.#options.peerOf(key) === undefined;
  }

  /** The member visits this node without a connection. */
  visitedBy(key: string): void {
    this.#reachedAtMs.set(key, this.#options.clock.nowMs());
  }

  /** Members that hear news by visits alone. */
  toVisit(): string[] {
    const { view } = this.#options;
    const isWaiting = (key: string) => (view.catalogOf(key)?.urls.length ?? 0) > 0;
    return this.reached().filter((key) => this.isWithoutLane(key) && isWaiting(key));
  }

  /** When there was last a word with the member over a signaling server. */
  lastWordMs(key: string): number {
    return this.#reachedAtMs.get(key) ?? Number.NEGATIVE_INFINITY;
  }

  /** Compares with a member that has no connection, because there is news. It never rejects. */
  async visitForNews(key: string, signal: AbortSignal): Promise<void> {
    // What runs may have compared before the news came.
    await this.#running.get(key)?.catch(() => false);
    if (!signal.aborted && this.isWithoutLane(key)) await this.#visitNow(key, signal);
  }

  /** Tells a member that has no connection, by one message. It never rejects. */
  async tellBriefly(key: string, records: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    const { visit, log } = this.#options;
    try {
      using opened = await visit(this.#session(key), signal);
      await opened.request('mesh_gossip', { records: [...records] });
    } catch (error) {
      log.debug({ err: error, member: key }, 'a member could not be told over its signaling server');
    }
  }

  /** The connection with a member ended: a word over a signaling server from before says nothing any more. */
  lost(key: string): void {
    this.#reachedAtMs.delete(key);
  }

  /** Members with whom there was a word over a signaling server lately. */
  reached(): string[] {
    const sinceMs = this.#options.clock.nowMs() - REACHED_MS;
    for (const [key, atMs] of this.#reachedAtMs) if (atMs < sinceMs) this.#reachedAtMs.delete(key);
    return [...this.#reachedAtMs.keys()];
  }

  /** @returns false where a connection may help. @throws ModelRtcError where none would */
  async #isTold(key: string, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#visit(key, signal);
    } catch (error) {
      if (ALSO_WITHOUT_LANE.includes(ModelRtcError.from(error).code)) throw error;
      return false;
    }
  }

  async #openLanes(key: string, signal: AbortSignal): Promise<Peer> {
    const { connect, handlersFor } = this.#options;
    return await asMember(this.#asMember(key, signal), () => connect(this.#session(key), handlersFor(key), signal));
  }

  /** At most once in a while. It never rejects. */
  async #visitSoon(key: string, signal: AbortSignal): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    const visitedAtMs = this.#visitedAtMs.get(key) ?? Number.NEGATIVE_INFINITY;
    if (!signal.aborted && nowMs - visitedAtMs >= VISIT_AGAIN_MS) await this.#visitNow(key, signal);
  }

  /** It never rejects. */
  async #visitNow(key: string, signal: AbortSignal): Promise<void> {
    this.#visitedAtMs.set(key, this.#options.clock.nowMs());
    try {
      await this.#visit(key, signal);
    } catch (error) {
      if (ModelRtcError.from(error).code === 'worker_offline') this.#reachedAtMs.delete(key);
      this.#options.log.debug({ err: error, member: key }, 'a member could not be asked over its signaling server');
    }
  }

  /** @returns whether all that the two have was compared. @throws ModelRtcError when the member could not be asked */
  async #visit(key: string, signal: AbortSignal): Promise<boolean> {
    const running = this.#running.get(key) ?? this.#compareBy(key, signal).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return await running;
  }

  async #compareBy(key: string, signal: AbortSignal): Promise<boolean> {
    const { visit, compare, onCompared } = this.#options;
    return await asMember(this.#asMember(key, signal), async () => {
      using opened = await visit(this.#session(key), signal);
      // The worker answers the first request, or says that it does not know this node.
      await opened.request('mesh_gossip', { records: [] });
      this.visitedBy(key);
      this.#visits.set(key, opened);
      try {
        const isDone = await compare(key);
        if (isDone) onCompared(key);
        return isDone;
      } finally {
        this.#visits.delete(key);
      }
    });
  }

  /**
   * Lets one that is not known as a member show that it is one, before it is told more than who this node is.
   * @throws ModelRtcError `refused` when it is none
   */
  async #meet(key: string, signal: AbortSignal): Promise<void> {
    const { visit, view } = this.#options;
    const ranges = [0, Number.parseInt(key.slice(0, 2), 16)];
    await asMember(this.#asMember(key, signal), async () => {
      using opened = await visit(this.#session(key), signal);
      const { records } = await opened.request('mesh_gossip', { records: [], have: [], ranges });
      for (const record of records) await view.accept(record, key);
      for (let times = 0; view.scopesOf(key) === undefined && times < MAX_MEETING_FETCHES; times++) {
        const missing = view.missingParts(MEETING_PARTS);
        if (missing.length === 0) break;
        const { parts } = await opened.request('mesh_fetch', { parts: [...missing] });
        for (const part of parts) await view.acceptPart(part, key);
        for (const record of records) await view.accept(record, key);
      }
    });
    if (view.scopesOf(key) !== undefined) return;
    throw new ModelRtcError('refused', 'A node that was found does not show that it is a member of the mesh.');
  }

  #openVisit(key: string): SealedVisit {
    const visit = this.#visits.get(key);
    if (visit !== undefined) return visit;
    throw new ModelRtcError('network', 'There is no connection with this member any more.');
  }

  #session(key: string) {
    const { sessions, urlsOf, view, ownKey } = this.#options;
    return sessions.sessionFor(key, urlsOf(key), view.scopesOf(ownKey) ?? ['read']);
  }

  #asMember(key: string, signal: AbortSignal) {
    const { visit, sessions, urlsOf, view, ownKey, isCompared, wallMs } = this.#options;
    const own = view.members().find((member) => member.key === ownKey);
    return {
      ...{ visit, sessions, key, signal, urls: urlsOf(key), introduction: view.introduction(), wallMs },
      isNew: own !== undefined && wallMs() - own.joinedAt.getTime() < NEW_MEMBER_MS && !isCompared(key),
    };
  }
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw cancelledBy(signal);
}
