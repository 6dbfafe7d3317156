import { afterEach, expect, it } from '@jest/globals';
import { RTCPeerConnection } from 'werift';
import { ignoreMalformedPackets } from '../../../src/lanes/webrtc/werift-sctp.ts';

const connection = new RTCPeerConnection({ iceServers: [] });
afterEach(() => connection.close());

function handle(packet: Buffer): Promise<void> {
  const sctp = connection.sctpTransport?.sctp as unknown as { handleData(packet: Buffer): Promise<void> };
  return sctp.handleData(packet);
}

it('passes over packets that are none, which end the process where nobody catches what werift throws', async () => {
  connection.createDataChannel('lane', { negotiated: true, id: 0 });
  const packets = [Buffer.alloc(0), Buffer.alloc(11), Buffer.alloc(12, 1), Buffer.alloc(1200, 255)];
  for (const packet of packets) await expect(handle(packet)).rejects.toThrow();
  ignoreMalformedPackets(connection);
  for (const packet of packets) await expect(handle(packet)).resolves.toBeUndefined();
});
