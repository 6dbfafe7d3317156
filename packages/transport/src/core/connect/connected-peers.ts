import { type Clock, type Log, ModelRtcError } from '@model-rtc/protocol';

import type { Authority, Peer } from '../peer/peer.ts';
import { AUTHORITY_CHECK_MS } from './limits.ts';

/** The peers that are connected now. Those whose token is revoked or expires are told so and closed. */
export class ConnectedPeers {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #peers = new Map<Peer, Authority>();
  #stopTimer: () => void = () => {};

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#arm();
  }

  get all(): Peer[] {
    return [...this.#peers.keys()];
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
      // Any other failure of a check (a file that cannot be read now) ends nobody's connection.
      if (error.has('ends_session')) {
        this.#log.info({ keyId, agent: peer.remote.agent, code: error.code }, 'a client was disconnected');
        void peer.close(error);
      } else this.#log.warn({ err: error, keyId }, 'whether a session is good still could not be checked');
    }
  }
}
