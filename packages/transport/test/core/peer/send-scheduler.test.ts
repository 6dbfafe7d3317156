import { describe, expect, it } from '@jest/globals';
import { type ChunkFrame, encodeMessage, isFrame, loadFrameCodec } from '@model-rtc/protocol';
import { SendScheduler } from '../../../src/core/peer/send-scheduler.ts';
import { CHUNK_HEADROOM_BYTES, createMemoryLanes, createPeer, type Lane, type LaneKind } from '../../../src/index.ts';
import { ALL, connectedPeers, DIGEST, HELLO, rawSide } from './support.ts';

const codec = await loadFrameCodec();
const CHUNK = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251);

interface Sent {
  readonly frame: ChunkFrame;
  readonly memory: ArrayBufferLike;
  readonly headroom: number;
}

/** An scheduler on a lane that takes everything, and what it gave the lane. */
function schedulerOn(): { readonly scheduler: SendScheduler; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  const send = async (message: Uint8Array, headroom = 0) => {
    const frame = codec.decode(message.slice()) as ChunkFrame;
    sent.push({ frame, memory: message.buffer, headroom });
    await new Promise((resolve) => setImmediate(resolve));
  };
  const lane = { kind: 'direct', maxMessageSize: 200_000, send } as unknown as Lane;
  const onFlooded = () => {};
  return { scheduler: new SendScheduler({ lane, codec, maxMessageBytes: 65_536, isSummed: true, onFlooded }), sent };
}

function joined(sent: readonly Sent[]): Uint8Array {
  const bytes = new Uint8Array(CHUNK.length);
  for (const { frame } of sent) bytes.set(frame.payload, frame.offset);
  return bytes;
}

describe('a chunk that an scheduler sends', () => {
  const signal = new AbortController().signal;

  it('goes in frames around its own bytes, when what lies before them is free', async () => {
    const { scheduler, sent } = schedulerOn();
    const memory = new Uint8Array(CHUNK_HEADROOM_BYTES + CHUNK.length);
    memory.set(CHUNK, CHUNK_HEADROOM_BYTES);
    const bytes = memory.subarray(CHUNK_HEADROOM_BYTES);
    await scheduler.sendChunk({ request: 1, index: 7, bytes, headroom: CHUNK_HEADROOM_BYTES }, signal);
    expect(sent.length).toBeGreaterThan(1);
    expect(sent.every((one) => one.memory === memory.buffer && one.headroom === 4 && one.frame.intact)).toBe(true);
    expect(Buffer.compare(joined(sent), CHUNK)).toBe(0);
  });

  it('is copied, and left as it is, when they are not', async () => {
    const { scheduler, sent } = schedulerOn();
    const bytes = CHUNK.slice();
    await scheduler.sendChunk({ request: 1, index: 7, bytes, headroom: 20 }, signal);
    expect(sent.every((one) => one.memory !== bytes.buffer && one.headroom === 0 && one.frame.intact)).toBe(true);
    expect(Buffer.compare(joined(sent), CHUNK)).toBe(0);
    expect(Buffer.compare(bytes, CHUNK)).toBe(0);
  });
});

describe('the xxh64 of a chunk', () => {
  it.each([
    ['direct', ['unsummed'], 0n],
    ['relay', ['unsummed'], 0n],
    ['webrtc', ['unsummed'], undefined],
    ['direct', [], undefined],
  ] as const)('over a %s lane to a peer with %j', async (kind, capabilities, sum) => {
    expect(await sumSent(kind, capabilities)).toBe(sum ?? (await sumSent('memory', [])));
  });

  it('is one that this side can do without', async () => {
    const { client, worker } = await connectedPeers();
    expect(worker.remote.capabilities).toContain('unsummed');
    await client.close();
  });
});

/** The xxh64 in the frame of a chunk that a peer sends over a lane that says that it is of this kind. */
async function sumSent(kind: LaneKind, capabilities: readonly string[]): Promise<bigint> {
  const [near, far] = createMemoryLanes();
  const creating = createPeer({
    lane: Object.defineProperty(far, 'kind', { value: kind }),
    hello: { role: 'worker', name: 'gpu-box', version: '1' },
    authority: ALL,
    handlers: {
      get_chunks: async (_, context) => {
        await context.sendChunk(7, CHUNK.subarray(0, 1000));
        return {};
      },
    },
  });
  await rawSide(near).say({ ...HELLO, capabilities: [...capabilities] });
  const peer = await creating;
  const params = { digest: DIGEST, chunks: [{ index: 7, digest: DIGEST }] };
  await near.send(encodeMessage({ type: 'request', id: 1, method: 'get_chunks', params }));
  try {
    for await (const bytes of near.messages) {
      if (isFrame(bytes)) return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(20);
    }
    throw new Error('no frame came');
  } finally {
    await peer.close();
  }
}
