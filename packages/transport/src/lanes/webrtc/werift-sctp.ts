import type { RTCPeerConnection } from 'werift';

/** The part of werift's association that acknowledges what arrived. It is private; the version is pinned, and a test counts. */
interface Acknowledging {
  sackNeeded: boolean;
  /** Transmission sequence numbers, modulo 2^32. */
  lastReceivedTsn: number;
  readonly sackMisOrdered: ReadonlySet<number>;
  readonly sackDuplicates: readonly number[];
  handleData(packet: Buffer): Promise<void>;
  receiveDataChunk(chunk: unknown): void;
  /** @returns whether it was there already */
  markReceived(tsn: number): boolean;
  scheduleSack(): Promise<void>;
  sendSack(): Promise<void>;
}

const TSN_MODULO = 2 ** 32;

/**
 * What is acknowledged together at most. RFC 9260 (section 6.2) would rather have two packets. A sender may send four for each
 * acknowledgement (Max.Burst, section 16), so with more of them its window would stay unfilled.
 */
const PACKETS_TOGETHER = 4;

/**
 * Lets werift acknowledge several packets together while none is missing and more of them wait to be read. By itself it
 * acknowledges each, which took two fifths of a receiving thread that is full. A packet that is alone is still acknowledged as soon
 * as it was read: if that waited for another one, so would a sender whose window is small.
 */
export function acknowledgeTogether(connection: RTCPeerConnection): void {
  const sctp = connection.sctpTransport?.sctp as unknown as Acknowledging | undefined;
  if (sctp === undefined) return;
  let isNew = false;
  let unacknowledged = 0;
  let waiting: NodeJS.Immediate | undefined;
  const send = () => {
    clearImmediate(waiting);
    waiting = undefined;
    unacknowledged = 0;
    // werift forgets what is needed when the last one was sent, and with it what arrived meanwhile. The rest is read at once.
    sctp.sackNeeded = true;
    sctp.sendSack().catch(() => {});
  };
  // werift builds a sorted list and two sets of what is missing even when nothing is.
  const markReceived = sctp.markReceived.bind(sctp);
  sctp.markReceived = (tsn) => {
    const isNext = tsn === (sctp.lastReceivedTsn + 1) % TSN_MODULO;
    if (!isNext || sctp.sackMisOrdered.size > 0 || sctp.sackDuplicates.length > 0) return markReceived(tsn);
    sctp.lastReceivedTsn = tsn;
    return false;
  };
  const receive = sctp.receiveDataChunk.bind(sctp);
  sctp.receiveDataChunk = (chunk) => {
    isNew = true;
    receive(chunk);
  };
  const handle = sctp.handleData.bind(sctp);
  sctp.handleData = async (packet) => {
    await handle(packet);
    if (!isNew) return;
    isNew = false;
    unacknowledged += 1;
    const isMissing = sctp.sackMisOrdered.size > 0 || sctp.sackDuplicates.length > 0;
    if (isMissing || unacknowledged >= PACKETS_TOGETHER) send();
    else waiting ??= setImmediate(send);
  };
  // It would acknowledge each packet. What else asks for it tells of messages that were given up, and a lane has none of those.
  sctp.scheduleSack = async () => {};
}

/**
 * Ignores malformed packets, as RFC 9260 says (sections 6.8 and 8.5). werift rejects a promise that is not handled,
 * so whoever holds a token could end the whole process with one packet.
 */
export function ignoreMalformedPackets(connection: RTCPeerConnection): void {
  const sctp = connection.sctpTransport?.sctp;
  if (sctp === undefined) throw new Error('the connection has no association yet');
  const { handleData } = sctp as unknown as { handleData(packet: Buffer): Promise<void> };
  const handle = handleData.bind(sctp);
  Object.assign(sctp, { handleData: (packet: Buffer) => handle(packet).catch(() => {}) });
}
