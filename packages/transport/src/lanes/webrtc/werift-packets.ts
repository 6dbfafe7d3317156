import type { RTCPeerConnection } from 'werift';

/**
 * Passes over what is no packet of the association, as RFC 9260 says (sections 6.8 and 8.5). werift rejects a promise that nobody awaits,
 * so whoever holds a token could end the whole process with one packet.
 */
export function passOverMalformedPackets(connection: RTCPeerConnection): void {
  const sctp = connection.sctpTransport?.sctp;
  if (sctp === undefined) throw new Error('the connection has no association yet');
  const { handleData } = sctp as unknown as { handleData(packet: Buffer): Promise<void> };
  const handle = handleData.bind(sctp);
  Object.assign(sctp, { handleData: (packet: Buffer) => handle(packet).catch(() => {}) });
}
