import type { Clock, ExchangeMessage, Log } from '@model-rtc/protocol';

import type { Lane } from '../lane/lane.ts';
import { greetLane, peerOfGreeted } from '../peer/create-peer.ts';
import type { AgentHello } from '../peer/hello.ts';
import type { MessageBudget } from '../peer/message-budget.ts';
import type { Authority, Handlers, Peer } from '../peer/peer.ts';

export interface AssembleOptions {
  readonly hello: AgentHello;
  readonly authority: Authority;
  readonly handlers: Handlers;
  readonly budget?: MessageBudget | undefined;
  readonly onExchange: (message: ExchangeMessage) => void;
  /** Called once, with the peer of the first lane on which both sides said hello. */
  readonly onPeer: (peer: Peer, lane: Lane) => void;
  readonly log: Log;
  readonly clock: Clock;
}

/** Makes one peer of the lanes that open: the first with a hello from both sides makes it, the others join. */
export class PeerAssembly {
  readonly #options: AssembleOptions;
  #making: Promise<Peer> | undefined;

  constructor(options: AssembleOptions) {
    this.#options = options;
  }

  /** Takes an open lane. @throws ModelRtcError as `createPeer`; the lane has ended then. */
  async add(lane: Lane): Promise<Peer> {
    const { hello, authority, handlers, budget, onExchange, onPeer, log, clock } = this.#options;
    // Say hello on all lanes at once: the two sides need not agree on which is the first.
    const remote = await greetLane(lane, hello, clock);
    if (this.#making !== undefined) {
      const peer = await this.#making;
      await peer.addLane(lane, { greeted: true });
      return peer;
    }
    this.#making = peerOfGreeted({ lane, hello, authority, handlers, budget, onExchange, log, clock }, remote);
    const peer = await this.#making;
    onPeer(peer, lane);
    return peer;
  }
}
