import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type RTCDataChannel, RTCPeerConnection } from 'werift';
import { acknowledgeTogether } from '../../../src/lanes/webrtc/werift-sctp.ts';

const MESSAGES = 64;
const MESSAGE_BYTES = 32_768;

interface Counted {
  receiveDataChunk(chunk: unknown): void;
  sendSack(): Promise<void>;
}

/** Counts the chunks that arrive and the acknowledgements that leave, below what is tested. */
function countBoth(connection: RTCPeerConnection): { chunks: number; acknowledgements: number } {
  const sctp = connection.sctpTransport?.sctp as unknown as Counted;
  const counts = { chunks: 0, acknowledgements: 0 };
  const receive = sctp.receiveDataChunk.bind(sctp);
  sctp.receiveDataChunk = (chunk) => {
    counts.chunks += 1;
    receive(chunk);
  };
  const send = sctp.sendSack.bind(sctp);
  sctp.sendSack = async () => {
    counts.acknowledgements += 1;
    await send();
  };
  return counts;
}

const connections: RTCPeerConnection[] = [];
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
});

async function openPair() {
  const [left, right] = [new RTCPeerConnection({ iceServers: [] }), new RTCPeerConnection({ iceServers: [] })];
  connections.push(left, right);
  const open = (connection: RTCPeerConnection): [RTCDataChannel, Promise<void>] => {
    const channel = connection.createDataChannel('lane', { negotiated: true, id: 0 });
    return [
      channel,
      new Promise((resolve) => channel.stateChanged.subscribe((state) => state === 'open' && resolve())),
    ];
  };
  const [ours, isOurs] = open(left);
  const [theirs, areTheirs] = open(right);
  await left.setLocalDescription(await left.createOffer());
  await right.setRemoteDescription(left.localDescription as NonNullable<typeof left.localDescription>);
  await right.setLocalDescription(await right.createAnswer());
  await left.setRemoteDescription(right.localDescription as NonNullable<typeof right.localDescription>);
  await Promise.all([isOurs, areTheirs]);
  return { right, ours, theirs };
}

async function receiveAll(channel: RTCDataChannel): Promise<number> {
  const events = new EventTarget();
  let bytes = 0;
  channel.onMessage.subscribe((message) => {
    bytes += message.length;
    if (bytes >= MESSAGES * MESSAGE_BYTES) events.dispatchEvent(new Event('all'));
  });
  await once(events, 'all');
  return bytes;
}

describe('what werift acknowledges', () => {
  it('is several packets together under load, and a single one at once', async () => {
    const { right, ours, theirs } = await openPair();
    const counts = countBoth(right);
    acknowledgeTogether(right);
    const received = receiveAll(theirs);
    for (let i = 0; i < MESSAGES; i += 1) ours.send(Buffer.alloc(MESSAGE_BYTES, i));
    expect(await received).toBe(MESSAGES * MESSAGE_BYTES);
    expect(counts.chunks).toBeGreaterThan((MESSAGES * MESSAGE_BYTES) / 1200 - 1);
    expect(counts.acknowledgements).toBeLessThan(counts.chunks * 0.7);

    await setImmediate();
    const before = { ...counts };
    const arrived = new Promise<void>((resolve) => theirs.onMessage.subscribe(() => resolve()));
    ours.send('alone');
    await arrived;
    while (counts.acknowledgements === before.acknowledgements) await setImmediate();
    expect(counts.acknowledgements).toBe(before.acknowledgements + 1);
  }, 30_000);
});
