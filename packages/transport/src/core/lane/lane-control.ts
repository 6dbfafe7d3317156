/**
 * What the two ends of a webrtc lane say to each other beside messages: text on the same channel, where messages are
 * binary, so that order holds between them. Words that are not known are passed over.
 *
 *     credit N   the other side may send messages that cost N in total, since the lane opened; N only grows
 *     end        no message follows from here; answered by `ended`
 *     ended      all up to your `end` arrived
 *
 * and `pad`, which means nothing: see `encodePad`.
 */
export type LaneControl =
  | { readonly word: 'credit'; readonly total: number }
  | { readonly word: 'end' }
  | { readonly word: 'ended' };

/** What the reader of a lane may be behind: SCTP itself has no bound, since the engines read ahead without end. */
export const LANE_WINDOW = 4 * 1024 * 1024;
/** Room is told of in steps of this, and on a slow link each second, which shows the sender that the lane lives. */
export const CREDIT_STEP = 1024 * 1024;
export const CREDIT_INTERVAL_MS = 1_000;
/** So that a flood of tiny messages fills the window, as its bookkeeping fills the memory. */
const MESSAGE_OVERHEAD = 64;

/** What a message uses of the window. */
export function messageCost(message: Uint8Array): number {
  return message.byteLength + MESSAGE_OVERHEAD;
}

export function encodeControl(control: LaneControl): string {
  return control.word === 'credit' ? `credit ${control.total}` : control.word;
}

/**
 * A word that fills at least one packet of the lane. A side that sends larger packets than every path carries says it before its
 * first credit. Words arrive in order, so a lane whose packets are too large for the path never opens.
 *
 * @param mtu the largest IP packets, in bytes
 * @param maxMessageSize of the other side, in bytes
 */
export function encodePad(mtu: number, maxMessageSize: number): string {
  return 'pad '.padEnd(Math.min(2 * mtu, maxMessageSize), '.');
}

/** @returns undefined for a word that this version does not know */
export function decodeControl(text: string): LaneControl | undefined {
  if (text === 'end' || text === 'ended') return { word: text };
  const [, total] = /^credit ([0-9]{1,15})$/.exec(text) ?? [];
  return total === undefined ? undefined : { word: 'credit', total: Number(total) };
}
