import { type Clock, type Log, ModelRtcError } from '@model-rtc/protocol';

import { MessageBudget } from '../peer/message-budget.ts';
import type { Authority, Peer } from '../peer/peer.ts';
import {
  ALL_MESSAGES_BYTES,
  AUTHORITY_CHECK_MS,
  MAX_LANES_PER_TOKEN,
  MAX_PEERS_PER_TOKEN,
  TOKEN_MESSAGES_BYTES,
} from './limits.ts';

/**
 * The peers that are connected now, and what those of one token may use. Those whose token is revoked or expires are told so
 * and closed.
 */
export class ConnectedPeers {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #peers = new Map<Peer, Authority>();
  readonly #allMessages = new MessageBudget(ALL_MESSAGES_BYTES);
  readonly #messages = new Map<string | undefined, MessageBudget>();
  #stopTimer: () => void = () => {};

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#arm();
  }

  get all(): Peer[] {
    return [...this.#peers.keys()];
  }

  /** @throws ModelRtcError `busy` when the token's clients are as many as may be connected. */
  requireRoom({ keyId }: Authority): void {
    if (this.#ofToken(keyId).length < MAX_PEERS_PER_TOKEN) return;
    throw new ModelRtcError(
      'busy',
      `${MAX_PEERS_PER_TOKEN} clients with this session are connected already; try again when one has left, or ask the worker's owner for a session of your own.`,
    );
  }

  /** Whether the token's clients may open one more connection. */
  hasRoomForLane({ keyId }: Authority): boolean {
    const lanes = this.#ofToken(keyId).reduce((sum, peer) => sum + peer.lanes.length, 0);
    return lanes < MAX_LANES_PER_TOKEN;
  }

  /** What the token's clients may use together for messages in fragments. */
  messageBudget({ keyId }: Authority): MessageBudget {
    const known = this.#messages.get(keyId) ?? new MessageBudget(TOKEN_MESSAGES_BYTES, this.#allMessages);
    this.#messages.set(keyId, known);
    return known;
  }

  add(peer: Peer, authority: Authority): void {
    this.#peers.set(peer, authority);
    void peer.closed.then((why) => {
      this.#peers.delete(peer);
      this.#log.debug({ keyId: authority.keyId, agent: peer.remote.agent, reason: why?.message }, 'a client left');
    });
  }

  async closeWhere(predicate: (authority: Authority, peer: Peer) => boolean, error?: ModelRtcError): Promise<void> {
    const ending = [...this.#peers].filter(([peer, authority]) => predicate(authority, peer));
    await Promise.all(ending.map(([peer]) => peer.close(error)));
  }

  /** No more checks; the peers are closed. */
  async close(): Promise<void> {
    this.#stopTimer();
    this.#stopTimer = () => {};
    await this.closeWhere(() => true);
  }

  #ofToken(keyId: string | undefined): Peer[] {
    return [...this.#peers].flatMap(([peer, authority]) => (authority.keyId === keyId ? [peer] : []));
  }

  #arm(): void {
    this.#stopTimer = this.#clock.after(AUTHORITY_CHECK_MS, () => {
      this.#arm();
      for (const [peer, authority] of this.#peers) this.#check(peer, authority);
    });
  }

  #check(peer: Peer, authority: Authority): void {
    try {
      authority.check?.();
    } catch (thrown) {
      const error = ModelRtcError.from(thrown);
      const { keyId } = authority;
      // Any other failure of a check (a file that cannot be read now) ends no connection.
      if (error.has('ends_session')) {
        this.#log.info({ keyId, agent: peer.remote.agent, code: error.code }, 'a client was disconnected');
        void peer.close(error);
      } else this.#log.warn({ err: error, keyId }, 'whether a session is good still could not be checked');
    }
  }
}
