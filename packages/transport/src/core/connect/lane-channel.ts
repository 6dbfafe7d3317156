import type { ExchangeMessage } from '@model-rtc/protocol';
import type { Peer } from '../peer/peer.ts';
import type { Mailbox } from './mailbox.ts';
import { Mailboxes } from './mailboxes.ts';

/** What a client agrees on new lanes over: the sealed exchange at first, a lane of the peer later. */
export interface LaneChannel {
  /** The signaling server that both sides reach, as this side dials it. */
  readonly serverUrl: string;
  /** A number for a new lane. */
  nextLane(): number;
  send(message: ExchangeMessage): Promise<void>;
  /** What the other side says of this lane from now on. */
  open(lane: number): Mailbox;
  /** Nothing more is wanted of this lane. */
  done(lane: number): void;
}

/** Agrees on lanes over those that a peer has. What the other side says is delivered here by whoever made the peer. */
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
