import { describe, expect, it } from '@jest/globals';
import { isFrame, type Manifest } from '@model-rtc/protocol';
import { settle } from '../../../../../test/support/virtual-clock.ts';
import type { ChunkPiece } from '../../../src/index.ts';
import {
  connectedPeers,
  DIGEST,
  failure,
  gate,
  INFO,
  MANIFEST,
  MANIFEST_FILE,
  PUSH,
  rawAgainstPeer,
} from './support.ts';

const WANTED = { digest: DIGEST, chunks: [{ index: 7, digest: DIGEST }] };

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31) % 251);
}

function joined(pieces: readonly ChunkPiece[], length: number): Uint8Array {
  const chunk = new Uint8Array(length);
  for (const { offset, payload } of pieces) chunk.set(payload, offset);
  return chunk;
}

/** A manifest that is longer than any lane here takes, and than the least that a side may take. */
function longManifest(chunks: number): Manifest {
  const list = Array.from({ length: chunks }, () => ({ digest: DIGEST, size: 1 }));
  return { ...MANIFEST, files: [{ ...MANIFEST_FILE, size: chunks }], chunks: list };
}

describe('a chunk', () => {
  it.each([1, 16_000, 16_384, 1_000_000])('of %i bytes arrives whole, in frames that fit the lane', async (length) => {
    const bytes = pattern(length);
    const { client, lanes } = await connectedPeers({
      lanes: { maxMessageSize: 16_384 },
      worker: {
        handlers: {
          get_chunks: async (params, context) => {
            const sent = bytes.slice();
            for (const { index } of params.chunks) await context.sendChunk(index, sent);
            sent.fill(0);
            return {};
          },
        },
      },
    });
    const pieces: ChunkPiece[] = [];
    await client.request('get_chunks', WANTED, { onChunk: (piece) => pieces.push(piece) });
    expect(Buffer.compare(joined(pieces, length), bytes)).toBe(0);
    expect(pieces.every(({ index, intact }) => index === 7 && intact)).toBe(true);
    expect(lanes[0].stats().receivedBytes).toBeGreaterThan(length);
    await client.close();
  });

  it('goes in frames of 64 KiB at most, so that a slow link brings one within the time of a ping', async () => {
    const { client } = await connectedPeers({
      lanes: { maxMessageSize: 262_144 },
      worker: {
        handlers: {
          get_chunks: async (_, context) => {
            await context.sendChunk(7, pattern(1024 * 1024));
            return {};
          },
        },
      },
    });
    const lengths: number[] = [];
    await client.request('get_chunks', WANTED, { onChunk: ({ payload }) => lengths.push(payload.length) });
    expect(Math.max(...lengths)).toBeLessThan(65_536);
    expect(Math.min(...lengths)).toBeGreaterThan(60_000);
    await client.close();
  });

  it('that is damaged on its way is told as not intact', async () => {
    const { client, lanes } = await connectedPeers({
      worker: {
        handlers: {
          get_chunks: async (_, context) => {
            await context.sendChunk(7, pattern(1000));
            return {};
          },
        },
      },
    });
    lanes[1].faults.damage((message) => {
      if (isFrame(message)) message[500] = (message[500] as number) ^ 1;
      return message;
    });
    const pieces: ChunkPiece[] = [];
    await client.request('get_chunks', WANTED, { onChunk: (piece) => pieces.push(piece) });
    expect(pieces.map(({ intact }) => intact)).toEqual([false]);
    await client.close();
  });

  it('that nobody waits for any more is passed over', async () => {
    const started = gate();
    const { client } = await connectedPeers({
      worker: {
        handlers: {
          get_model_info: async () => INFO,
          get_chunks: async (_, context) => {
            started.open();
            for (;;) await context.sendChunk(7, pattern(100_000));
          },
        },
      },
    });
    const controller = new AbortController();
    let pieces = 0;
    const onChunk = () => {
      pieces++;
      if (pieces === 3) controller.abort();
    };
    expect((await failure(client.request('get_chunks', WANTED, { signal: controller.signal, onChunk }))).code).toBe(
      'cancelled',
    );
    expect(pieces).toBe(3);
    await expect(client.request('get_model_info', { ref: 'a' })).resolves.toEqual(INFO);
    await client.close();
  });

  it('waits for room, and answers go before those that wait', async () => {
    let sent = 0;
    const { raw, peer } = await rawAgainstPeer({
      lanes: { maxMessageSize: 16_384, highWaterMark: 20_000 },
      handlers: {
        get_model_info: async () => INFO,
        get_chunks: async (_, context) => {
          for (let i = 0; i < 100; i++) {
            await context.sendChunk(i, pattern(100_000));
            sent++;
          }
          return {};
        },
      },
    });
    await raw.say({ type: 'request', id: 1, method: 'get_chunks', params: WANTED });
    await settle();
    expect(sent).toBe(0);
    await raw.say({ type: 'request', id: 2, method: 'get_model_info', params: { ref: 'a' } });
    await settle();
    const incoming = raw.lane.messages[Symbol.asyncIterator]();
    let frames = 0;
    while (isFrame((await incoming.next()).value as Uint8Array)) frames++;
    expect(frames).toBeLessThan(5);
    await raw.lane.close();
    await peer.closed;
  });

  it('does not hold up those of another request', async () => {
    const { client } = await connectedPeers({
      worker: {
        handlers: {
          get_chunks: async (params, context) => {
            for (const { index } of params.chunks) await context.sendChunk(index, pattern(300_000));
            return {};
          },
        },
      },
    });
    const order: number[] = [];
    const ask = (index: number) =>
      client.request(
        'get_chunks',
        { digest: DIGEST, chunks: Array.from({ length: 10 }, () => ({ index, digest: DIGEST })) },
        { onChunk: (piece) => piece.offset === 0 && order.push(piece.index) },
      );
    await Promise.all([ask(1), ask(2)]);
    expect(order.slice(0, 10).filter((index) => index === 2).length).toBeGreaterThan(2);
    await client.close();
  });
});

describe('a message that is longer than the lane takes', () => {
  it('arrives in fragments, as answer and as request, several at once', async () => {
    const manifest = longManifest(4_000);
    const pushed: Manifest[] = [];
    const { client } = await connectedPeers({
      lanes: { maxMessageSize: 16_384 },
      worker: {
        handlers: {
          get_manifest: async () => ({ manifest }),
          push_model: async (params) => {
            pushed.push(params.manifest);
            return { entry: PUSH.entry, outcome: 'installed', transferredBytes: 0, reusedBytes: 0, resumedBytes: 0 };
          },
        },
      },
    });
    const answers = await Promise.all([
      client.request('push_model', { ...PUSH, manifest }),
      ...Array.from({ length: 4 }, () => client.request('get_manifest', { digest: DIGEST })),
    ]);
    expect(answers).toHaveLength(5);
    expect(answers[4]).toEqual({ manifest });
    expect(pushed).toEqual([manifest]);
    await client.close();
  });

  it('is not overtaken by its own cancel', async () => {
    const cancelled = gate();
    const { client } = await connectedPeers({
      lanes: { maxMessageSize: 16_384, highWaterMark: 20_000 },
      worker: {
        handlers: {
          push_model: (_, { signal }) =>
            new Promise((__, reject) => {
              signal.addEventListener('abort', () => {
                cancelled.open();
                reject(signal.reason);
              });
            }),
        },
      },
    });
    const controller = new AbortController();
    const params = { ...PUSH, manifest: longManifest(4_000) };
    const asking = failure(client.request('push_model', params, { signal: controller.signal }));
    // The first fragment is on its way.
    while ((client.lanes[0]?.sentBytes ?? 0) < 16_384) await new Promise(setImmediate);
    controller.abort();
    expect((await asking).code).toBe('cancelled');
    await cancelled.opened;
    await client.close();
  });

  it('and than the other side takes is not sent, and the error says what is too large', async () => {
    const { raw, peer } = await rawAgainstPeer({
      hello: { limits: { maxMessageBytes: 65_536, maxOpenRequests: 8 } },
      handlers: { get_manifest: async () => ({ manifest: longManifest(4_000) }) },
    });
    const error = await failure(peer.request('push_model', { ...PUSH, manifest: longManifest(4_000) }));
    expect(error.message).toContain('too large');
    await raw.say({ type: 'request', id: 1, method: 'get_manifest', params: { digest: DIGEST } });
    const answer = await raw.hear();
    expect(answer).toMatchObject({ type: 'error', id: 1, error: { code: 'bad_argument' } });
    await peer.close();
  });
});
