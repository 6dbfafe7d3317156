import type { ModelRtcError } from '@model-rtc/protocol';

export type LaneKind = 'memory' | 'webrtc' | 'direct' | 'relay';

export interface LaneStats {
  /** Bytes of whole messages accepted by `send`. */
  readonly sentBytes: number;
  /** Bytes of whole messages that arrived, read or not. */
  readonly receivedBytes: number;
  /**
   * Grows whenever anything at all is heard from the other side, acknowledgements included. While bulk data goes out
   * over a slow link a ping's answer may be far behind it; this tells a slow lane from a dead one.
   */
  readonly heard: number;
}

/**
 * One connection between two agents: an ordered, reliable, bounded stream of messages in each direction. What a peer
 * is built on; every implementation passes the suite in test/support/lane-conformance.ts.
 *
 * Order: messages arrive whole, once, in the order of the `send` calls, even when those were not awaited.
 *
 * Back-pressure: `send` waits while more than the lane's high-water mark is on its way, so a sender that awaits each
 * `send` holds a bounded number of bytes however slow the reader is. A lane reads no further ahead of `messages`
 * than its transport forces it to.
 *
 * End: either side may `close` (orderly: all that was sent arrives first) or `abort` (at once: what is on its way may
 * be lost). After the other side closed, `messages` gives what was received before and then ends, and `closed`
 * resolves undefined. After a failure or an abort, `messages` likewise gives what was received and then ends: why is
 * in `closed`. A lane can also fall silent without an error, so its owner pings it.
 */
export interface Lane {
  readonly kind: LaneKind;
  /** The WebRTC engine of this side: `native`, `werift` or `browser`; undefined for the other kinds. */
  readonly engine: string | undefined;
  /** The largest message that both ends take, in bytes. Known once the lane is open, and fixed from then on. */
  readonly maxMessageSize: number;

  /**
   * Gives one message to the lane and resolves when there is room for more. The caller may reuse the buffer once it
   * resolves, and not before.
   *
   * @param message 1 to `maxMessageSize` bytes
   * @param headroom so many bytes of the same memory before the message are the lane's as well until it resolves: with a few of
   * them, some lanes send from there without a copy
   * @throws ModelRtcError `bad_argument` for an empty or too long message (the lane stays open); `network` when the
   * lane is closed, whichever side closed it; the lane's own error when it failed
   */
  send(message: Uint8Array, headroom?: number): Promise<void>;

  /**
   * What the other side sent. It never throws. One consumer at a time: a message goes to one of them. Leaving a loop
   * early loses nothing; a later loop goes on with the next message. A message stays valid, and is the reader's own,
   * after the next one is asked for.
   */
  readonly messages: AsyncIterable<Uint8Array>;

  /**
   * Gives back a message that was read: its memory may be reused for another. Readers that keep messages need not
   * call it.
   */
  recycle?(message: Uint8Array): void;

  /**
   * Ends the lane in order: nothing more can be sent, what was sent is flushed to the other side, then the connection
   * goes. Never rejects and never hangs: a lane that cannot flush in time is aborted. Further calls give the same end.
   */
  close(): Promise<void>;

  /** Ends the lane at once, losing what is on its way. `closed` resolves with the reason. Does nothing on a lane that ended. */
  abort(reason?: ModelRtcError): void;

  /** Resolves when the lane has ended: with undefined for an orderly end by either side, else with what ended it. It never rejects. */
  readonly closed: Promise<ModelRtcError | undefined>;

  stats(): LaneStats;
}
