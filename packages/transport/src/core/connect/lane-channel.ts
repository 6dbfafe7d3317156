import type { ExchangeMessage } from '@model-rtc/protocol';
import type { Peer } from '../peer/peer.ts';
import type { Mailbox } from './mailbox.ts';
import { Mailboxes } from './mailboxes.ts';

/** Where a client sets up new lanes: first over the sealed exchange, later over a lane of the peer. */
export interface LaneChannel {
  /** The signaling server that both sides reach, as this side dials it. */
  readonly serverUrl: string;
  /** Gives a new lane its number. */
  nextLane(): number;
  send(message: ExchangeMessage): Promise<void>;
  /** Collects the other side's messages about this lane from now on. */
  open(lane: number): Mailbox;
  /** Stops collecting messages about this lane. */
  done(lane: number): void;
}

/** Sets up lanes over those that a peer has. The peer's maker delivers the other side's messages here. */
export class PeerChannel implements LaneChannel {
  readonly serverUrl: string;
  readonly #mailboxes = new Mailboxes();
  #peer: Peer | undefined;
  #lastLane = -1;

  constructor(serverUrl: string) {
    this.serverUrl = serverUrl;
  }

  /** From now on messages go to this peer. */
  use(peer: Peer): void {
    this.#peer = peer;
    void peer.closed.then((why) => this.#mailboxes.end(why));
  }

  deliver(message: ExchangeMessage): void {
    this.#mailboxes.deliver(message);
  }

  nextLane(): number {
    this.#lastLane += 1;
    return this.#lastLane;
  }

  async send(message: ExchangeMessage): Promise<void> {
    await this.#peer?.sendExchange(message);
  }

  open(lane: number): Mailbox {
    return this.#mailboxes.open(lane);
  }

  done(lane: number): void {
    this.#mailboxes.close(lane);
  }
}
