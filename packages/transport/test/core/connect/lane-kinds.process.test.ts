import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeSessionToken } from '@model-rtc/protocol';
import { type SignalingServer, startSignalingServer } from '@model-rtc/signaling';
import type { LaneChoice, LaneInfo } from '../../../src/index.ts';
import { failure } from '../peer/support.ts';
import { GOOD, SEED, SessionChild, tokenOf, tokenText } from './session-child.ts';
import type { Connected } from './session-process.ts';

describe.each([true, false])('a worker that takes direct connections: %s', (direct) => {
  let server: SignalingServer;
  let worker: SessionChild;
  let client: SessionChild;

  beforeAll(async () => {
    server = await startSignalingServer({ host: '127.0.0.1', port: 0 });
    worker = new SessionChild();
    client = new SessionChild();
    const urls = [`ws://127.0.0.1:${server.port}`];
    await worker.tell({ do: 'work', seed: SEED, urls, engine: 'native', tokens: [GOOD], direct });
  });

  afterAll(async () => {
    await Promise.all([worker.end(), client.end()]);
    await server.close();
  });

  const token = () => encodeSessionToken({ ...tokenOf(GOOD, server.port), features: ['ask'] });
  const connect = (lane: LaneChoice) =>
    client.tell<Connected>({ do: 'connect', token: token(), engine: 'native', lane });
  const kinds = async () => (await client.tell<LaneInfo[]>({ do: 'lanes' })).map(({ kind }) => kind);

  it.each<LaneChoice>(['direct', 'webrtc', 'relay'])(
    'is reached by a %s lane alone, where it gives one',
    async (lane) => {
      if (lane === 'direct' && !direct) {
        const error = await failure(connect(lane));
        expect(error.code).toBe('network');
        expect(error.message).toContain('takes no direct connections');
        return;
      }
      const { states } = await connect(lane);
      expect(states.at(-1)).toMatchObject({ state: 'connected', kind: lane });
      expect(await kinds()).toEqual([lane]);
      expect(await client.tell({ do: 'ask' })).toBe('abababab');
      await client.tell({ do: 'close' });
      await worker.until<{ peers: number }>({ do: 'count' }, ({ peers }) => peers === 0);
    },
  );

  it('is reached by the best lane there is, of all that are tried', async () => {
    await connect('auto');
    const best = direct ? 'direct' : 'webrtc';
    // On a slow machine another may have been the first; the best joins it, and takes over.
    await client.until<LaneInfo[]>({ do: 'lanes' }, (lanes) => lanes.every(({ kind }) => kind === best));
    await client.tell({ do: 'cut', kind: best });
    expect(await client.tell({ do: 'closed' })).toBe('network');
  });

  it('is reached with a token of a version that knew webrtc alone', async () => {
    const order = { do: 'connect', engine: 'native', token: tokenText(GOOD, server.port) } as const;
    const { states } = await client.tell<Connected>(order);
    expect(states.at(-1)).toMatchObject({ state: 'connected', kind: 'webrtc' });
    await client.tell({ do: 'close' });
  });
});
