import { describe, expect, it } from '@jest/globals';
import { MAX_OPEN_REQUESTS, ModelRtcError, type Params, packValue } from '@model-rtc/protocol';
import { settle } from '../../../../../test/support/virtual-clock.ts';
import type { RequestContext } from '../../../src/index.ts';
import {
  connectedPeers,
  DIGEST,
  ENTRY,
  failure,
  gate,
  INFO,
  keepingLog,
  MANIFEST,
  MANIFEST_FILE,
  PUSH,
  rawAgainstPeer,
} from './support.ts';

const PROGRESS = {
  type: 'progress',
  state: 'x',
  doneBytes: 0,
  totalBytes: 9,
  reusedBytes: 0,
  resumedBytes: 0,
} as const;

const PLAN = { transferBytes: 0, reusedBytes: 0, resumedBytes: 0, exists: false };

describe('a request', () => {
  it('gets the answer of the handler, with defaults filled in on the way there', async () => {
    const asked: Params<'list_models'>[] = [];
    const { client } = await connectedPeers({
      worker: {
        handlers: {
          list_models: async (params) => {
            asked.push(params);
            return { models: [ENTRY], total: 1 };
          },
        },
      },
    });
    expect(await client.request('list_models', {})).toEqual({ models: [ENTRY], total: 1 });
    expect(asked).toEqual([{ filters: {}, sort: 'date', limit: 200 }]);
    await client.close();
  });

  it('goes either way', async () => {
    const { client, worker } = await connectedPeers({ client: { handlers: { get_chunks: async () => ({}) } } });
    await expect(
      worker.request('get_chunks', { digest: DIGEST, chunks: [{ index: 0, digest: DIGEST }] }),
    ).resolves.toEqual({});
    await client.close();
  });

  it('can be answered by handlers that are added later', async () => {
    const { client, worker } = await connectedPeers();
    expect((await failure(client.request('get_model_info', { ref: 'a' }))).code).toBe('refused');
    worker.setHandlers({ get_model_info: async () => INFO });
    await expect(client.request('get_model_info', { ref: 'a' })).resolves.toEqual(INFO);
    await client.close();
  });

  it('keeps what a handler knows and its schema does not to itself', async () => {
    const { client } = await connectedPeers({
      worker: { handlers: { get_model_info: async () => ({ ...INFO, localPath: '/home/me' }) } },
    });
    expect(await client.request('get_model_info', { ref: 'a' })).toEqual(INFO);
    await client.close();
  });

  it('throws the error of the handler, with its code and details', async () => {
    const { client } = await connectedPeers({
      worker: {
        handlers: {
          get_model_info: async () => {
            throw new ModelRtcError('ambiguous', 'Two have it.', { details: { candidates: ['a', 'b'] } });
          },
        },
      },
    });
    expect(await failure(client.request('get_model_info', { ref: 'a' }))).toMatchObject({
      code: 'ambiguous',
      message: 'Two have it.',
      details: { candidates: ['a', 'b'] },
    });
    await client.close();
  });

  it('tells nothing of an unforeseen failure but that there was one, and logs it', async () => {
    const log = keepingLog();
    const { client } = await connectedPeers({
      worker: {
        log,
        handlers: {
          get_model_info: () => {
            throw new TypeError('/home/secret/key.pem has no property x');
          },
        },
      },
    });
    const error = await failure(client.request('get_model_info', { ref: 'a' }));
    expect(error.code).toBe('unexpected');
    expect(error.message).not.toContain('secret');
    expect(log.entries.some(({ level }) => level === 'warn')).toBe(true);
    await client.close();
  });

  it('with wrong parameters fails on this side already', async () => {
    const { client, lanes } = await connectedPeers();
    const before = lanes[0].stats().sentBytes;
    expect((await failure(client.request('get_model_info', { ref: '' }))).code).toBe('bad_argument');
    expect(lanes[0].stats().sentBytes).toBe(before);
    await client.close();
  });

  it('with wrong parameters from a careless side fails alone', async () => {
    const { raw, peer } = await rawAgainstPeer({ handlers: { get_model_info: async () => INFO } });
    await raw.say({ type: 'request', id: 1, method: 'get_model_info', params: { ref: 7 } });
    expect(await raw.hear()).toMatchObject({ type: 'error', id: 1, error: { code: 'bad_argument' } });
    await raw.say({ type: 'request', id: 2, method: 'get_model_info', params: { ref: 'a' } });
    expect(await raw.hear()).toMatchObject({ type: 'reply', id: 2 });
    await peer.close();
  });

  it('with a manifest that describes no model says that it is one', async () => {
    const { raw, peer } = await rawAgainstPeer({ handlers: { plan_push: async () => PLAN } });
    const manifest = { ...MANIFEST, files: [{ ...MANIFEST_FILE, path: '../a' }] };
    await raw.say({ type: 'request', id: 1, method: 'plan_push', params: { manifest } });
    expect(await raw.hear()).toMatchObject({
      type: 'error',
      error: { code: 'invalid_model', message: expect.stringContaining('manifest.files.0.path') },
    });
    await peer.close();
  });

  it('with an answer that is none fails alone', async () => {
    const { raw, peer } = await rawAgainstPeer();
    const asking = failure(peer.request('get_model_info', { ref: 'a' }));
    const request = await raw.hear();
    await raw.say({ type: 'reply', id: (request as { id: number }).id, result: { entry: 'none' } });
    expect((await asking).code).toBe('malformed_message');
    const second = peer.request('get_model_info', { ref: 'a' });
    await raw.say({ type: 'reply', id: ((await raw.hear()) as { id: number }).id, result: INFO });
    await expect(second).resolves.toEqual(INFO);
    await peer.close();
  });

  it.each(['hand', 'the handlers of this package'])(
    'for a manifest that breaks the rules, sent by %s, says so',
    async (by) => {
      const manifest = { ...MANIFEST, files: [{ ...MANIFEST_FILE, path: '../a' }] };
      if (by === 'hand') {
        const { raw, peer } = await rawAgainstPeer();
        const asking = failure(peer.request('get_manifest', { digest: DIGEST }));
        await raw.say({ type: 'reply', id: ((await raw.hear()) as { id: number }).id, result: { manifest } });
        expect(await asking).toMatchObject({ code: 'invalid_model', exitCode: 6 });
        return await peer.close();
      }
      const { client } = await connectedPeers({
        worker: { handlers: { get_manifest: async () => ({ manifest }) as never } },
      });
      expect(await failure(client.request('get_manifest', { digest: DIGEST }))).toMatchObject({
        code: 'invalid_model',
      });
      await client.close();
    },
  );

  it('whose handler answers wrongly is an unforeseen failure there', async () => {
    const { client } = await connectedPeers({
      worker: { handlers: { get_model_info: (async () => ({ entry: 1 })) as never } },
    });
    expect((await failure(client.request('get_model_info', { ref: 'a' }))).code).toBe('unexpected');
    await client.close();
  });

  it('that this version does not know is answered with what to upgrade', async () => {
    const { raw, peer } = await rawAgainstPeer();
    await raw.say({ type: 'request', id: 1, method: 'constructor', params: {} });
    expect(await raw.hear()).toMatchObject({ type: 'error', error: { code: 'protocol_mismatch' } });
    await peer.close();
  });
});

describe('the authority of a connection', () => {
  it('must have the scope of the method, and the error names it and how to get it', async () => {
    let called = false;
    const { client } = await connectedPeers({
      worker: {
        authority: { scopes: ['read'] },
        handlers: {
          push_model: async () => {
            called = true;
            return undefined as never;
          },
        },
      },
    });
    const error = await failure(client.request('push_model', PUSH));
    expect(error.code).toBe('scope_missing');
    expect(error.message).toContain('model-rtc worker sessions create --scope read,write');
    expect(called).toBe(false);
    await client.close();
  });

  it('is checked at each request', async () => {
    let isRevoked = false;
    const check = () => {
      if (isRevoked) throw new ModelRtcError('token_revoked', 'Revoked.');
    };
    const { client } = await connectedPeers({
      worker: { authority: { scopes: ['read'], check }, handlers: { get_model_info: async () => INFO } },
    });
    await client.request('get_model_info', { ref: 'a' });
    isRevoked = true;
    expect((await failure(client.request('get_model_info', { ref: 'a' }))).code).toBe('token_revoked');
    await client.close();
  });
});

describe('events', () => {
  it('arrive in order and before the answer, awaited or not', async () => {
    const { client } = await connectedPeers({
      worker: {
        handlers: {
          push_model: async (_, context) => {
            for (let doneBytes = 0; doneBytes < 50; doneBytes++) void context.emit({ ...PROGRESS, doneBytes });
            return { entry: ENTRY, outcome: 'installed', transferredBytes: 0, reusedBytes: 0, resumedBytes: 0 };
          },
        },
      },
    });
    const seen: number[] = [];
    await client.request('push_model', PUSH, { onEvent: (event) => seen.push(event.doneBytes) });
    expect(seen).toEqual([...Array(50).keys()]);
    await client.close();
  });

  it('that are none fail their request and cancel it', async () => {
    const { raw, peer } = await rawAgainstPeer();
    const asking = failure(peer.request('push_model', PUSH));
    const { id } = (await raw.hear()) as { id: number };
    await raw.say({ type: 'event', id, event: { type: 'progress', doneBytes: -1 } });
    expect((await asking).code).toBe('malformed_message');
    expect(await raw.hear()).toEqual({ type: 'cancel', id });
    await peer.close();
  });

  it('whose callback throws fail the request of the asker', async () => {
    const { raw, peer } = await rawAgainstPeer();
    const onEvent = () => {
      throw new ModelRtcError('storage', 'No.');
    };
    const asking = failure(peer.request('push_model', PUSH, { onEvent }));
    const { id } = (await raw.hear()) as { id: number };
    await raw.say({ type: 'event', id, event: PROGRESS });
    expect(await asking).toMatchObject({ code: 'storage' });
    expect(await raw.hear()).toEqual({ type: 'cancel', id });
    await peer.close();
  });

  it('wait for the lane to have room', async () => {
    const { raw, peer } = await rawAgainstPeer({
      lanes: { highWaterMark: 2_000 },
      handlers: {
        push_model: async (_, context) => {
          for (;;) {
            await context.emit(PROGRESS);
            emitted++;
          }
        },
      },
    });
    let emitted = 0;
    await raw.say({ type: 'request', id: 1, method: 'push_model', params: PUSH });
    await settle();
    const atFirst = emitted;
    expect(atFirst).toBeLessThan(40);
    for (let event = 0; event < 30; event++) await raw.hear();
    await settle();
    expect(emitted).toBeGreaterThan(atFirst);
    await raw.lane.close();
    await peer.closed;
  });
});

describe('cancelling', () => {
  it('aborts the handler, throws at the asker at once, and leaves the rest alone', async () => {
    const started = gate();
    const aborted = gate();
    const { client } = await connectedPeers({
      worker: {
        handlers: {
          get_model_info: async () => INFO,
          push_model: (_, { signal }) => {
            started.open();
            return new Promise((__, reject) => {
              signal.addEventListener('abort', () => {
                aborted.open();
                reject(signal.reason);
              });
            });
          },
        },
      },
    });
    const controller = new AbortController();
    const asking = failure(client.request('push_model', PUSH, { signal: controller.signal }));
    await started.opened;
    controller.abort();
    expect((await asking).code).toBe('cancelled');
    await aborted.opened;
    await expect(client.request('get_model_info', { ref: 'a' })).resolves.toEqual(INFO);
    await client.close();
  });

  it('throws the reason of the signal when it is one of ours', async () => {
    const { client } = await connectedPeers({
      worker: { handlers: { get_model_info: () => new Promise(() => {}) } },
    });
    const controller = new AbortController();
    const asking = failure(client.request('get_model_info', { ref: 'a' }, { signal: controller.signal }));
    controller.abort(new ModelRtcError('source_changed', 'It changed.'));
    expect((await asking).code).toBe('source_changed');
    await client.close();
  });

  it('before asking sends nothing', async () => {
    const { client, lanes } = await connectedPeers();
    const before = lanes[0].stats().sentBytes;
    const asking = client.request('get_model_info', { ref: 'a' }, { signal: AbortSignal.abort() });
    expect((await failure(asking)).code).toBe('cancelled');
    expect(lanes[0].stats().sentBytes).toBe(before);
    await client.close();
  });

  it('of a handler makes its later events and chunks fail', async () => {
    const failures: string[] = [];
    const done = gate();
    const { raw, peer } = await rawAgainstPeer({
      handlers: {
        push_model: async (_, context) => {
          await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
          failures.push((await failure(context.emit(PROGRESS))).code);
          failures.push((await failure(context.sendChunk(0, new Uint8Array(9)))).code);
          done.open();
          throw new ModelRtcError('storage', 'This side ended it.');
        },
      },
    });
    await raw.say({ type: 'request', id: 3, method: 'push_model', params: PUSH });
    await raw.say({ type: 'cancel', id: 3 });
    await raw.say({ type: 'cancel', id: 99 });
    await done.opened;
    expect(failures).toEqual(['cancelled', 'cancelled']);
    // Whatever the handler throws: its asker knows why it ends.
    const message = 'The request was cancelled by the side that asked it.';
    expect(await raw.hear()).toEqual({ type: 'error', id: 3, error: { code: 'cancelled', message } });
    await peer.close();
  });
});

describe('the number of open requests', () => {
  it('is bounded at the side that answers', async () => {
    const hold = gate();
    const { raw, peer } = await rawAgainstPeer({
      handlers: {
        get_model_info: async () => {
          await hold.opened;
          return INFO;
        },
      },
    });
    const ask = (id: number) => raw.say({ type: 'request', id, method: 'get_model_info', params: { ref: 'a' } });
    for (let id = 0; id < MAX_OPEN_REQUESTS; id++) await ask(id);
    await ask(1000);
    expect(await raw.hear()).toMatchObject({ type: 'error', id: 1000, error: { code: 'busy' } });
    hold.open();
    for (let id = 0; id < MAX_OPEN_REQUESTS; id++) expect(await raw.hear()).toMatchObject({ type: 'reply' });
    await ask(1001);
    expect(await raw.hear()).toMatchObject({ type: 'reply', id: 1001 });
    await peer.close();
  });

  it('waits for a place when it is a stream of chunks, and leaves some places to questions', async () => {
    const { raw, peer } = await rawAgainstPeer({ hello: { limits: { maxMessageBytes: 65_536, maxOpenRequests: 4 } } });
    // Three in one turn, where two may be open: the third is sent when one of them is answered.
    const streams = [0, 1, 2].map((index) =>
      peer.request('get_chunks', { digest: DIGEST, chunks: [{ index, digest: DIGEST }] }),
    );
    const [first, second] = [await raw.hear(), await raw.hear()] as { id: number; method: string }[];
    const question = peer.request('get_model_info', { ref: 'a' });
    const asked = (await raw.hear()) as { id: number; method: string };
    expect(asked.method).toBe('get_model_info');
    await raw.say({ type: 'reply', id: asked.id, result: INFO });
    await expect(question).resolves.toEqual(INFO);
    await raw.say({ type: 'reply', id: first?.id ?? -1, result: {} });
    const third = (await raw.hear()) as { id: number; method: string };
    expect(third.method).toBe('get_chunks');
    for (const id of [second?.id ?? -1, third.id]) await raw.say({ type: 'reply', id, result: {} });
    expect(await Promise.all(streams)).toEqual([{}, {}, {}]);
    await peer.close();
  });

  it('that waits for a place ends when it is cancelled, when another may go, and with the peer', async () => {
    const { raw, peer } = await rawAgainstPeer({ hello: { limits: { maxMessageBytes: 65_536, maxOpenRequests: 1 } } });
    const ask = (index: number, signal?: AbortSignal) =>
      peer.request('get_chunks', { digest: DIGEST, chunks: [{ index, digest: DIGEST }] }, { signal });
    const first = ask(0);
    const { id } = (await raw.hear()) as { id: number };
    const controller = new AbortController();
    const cancelled = failure(ask(1, controller.signal));
    const next = ask(2);
    const never = failure(ask(3));
    controller.abort();
    expect((await cancelled).code).toBe('cancelled');
    await raw.say({ type: 'reply', id, result: {} });
    await expect(first).resolves.toEqual({});
    const heard = (await raw.hear()) as { id: number; params: { chunks: { index: number }[] } };
    expect(heard.params.chunks[0]?.index).toBe(2);
    const ended = failure(next);
    await peer.close();
    expect((await ended).code).toBe('network');
    expect((await never).code).toBe('network');
  });

  it('is bounded by what the other side said at the side that asks, cancelled ones included', async () => {
    const { raw, peer } = await rawAgainstPeer({ hello: { limits: { maxMessageBytes: 65_536, maxOpenRequests: 1 } } });
    const controller = new AbortController();
    const first = failure(peer.request('get_model_info', { ref: 'a' }, { signal: controller.signal }));
    const { id } = (await raw.hear()) as { id: number };
    controller.abort();
    await first;
    expect((await failure(peer.request('get_model_info', { ref: 'b' }))).code).toBe('busy');
    await raw.hear();
    await raw.say({ type: 'error', id, error: { code: 'cancelled', message: 'Cancelled.' } });
    await settle();
    const second = peer.request('get_model_info', { ref: 'b' });
    await raw.say({ type: 'reply', id: ((await raw.hear()) as { id: number }).id, result: INFO });
    await expect(second).resolves.toEqual(INFO);
    await peer.close();
  });
});

describe('the context of a handler', () => {
  it('has the peer that asks', async () => {
    const contexts: RequestContext<'get_model_info'>[] = [];
    const { client, worker } = await connectedPeers({
      worker: {
        handlers: {
          get_model_info: async (_, context) => {
            contexts.push(context);
            return INFO;
          },
        },
      },
    });
    await client.request('get_model_info', { ref: 'a' });
    expect(contexts[0]?.peer).toBe(worker);
    await client.close();
  });

  it('sends nothing after the answer', async () => {
    let late: RequestContext<'get_model_info'> | undefined;
    const { client } = await connectedPeers({
      worker: {
        handlers: {
          get_model_info: async (_, context) => {
            late = context;
            return INFO;
          },
        },
      },
    });
    await client.request('get_model_info', { ref: 'a' });
    await expect(late?.emit({})).rejects.toThrow('after it has answered');
    await client.close();
  });
});

it('an id that is in use ends the peer that uses it again', async () => {
  const { raw, peer } = await rawAgainstPeer({ handlers: { get_model_info: () => new Promise(() => {}) } });
  const request = packValue({ type: 'request', id: 1, method: 'get_model_info', params: { ref: 'a' } });
  await raw.lane.send(request);
  await raw.lane.send(request);
  expect(await raw.hear()).toMatchObject({ type: 'bye', error: { code: 'malformed_message' } });
  expect(await peer.closed).toMatchObject({ code: 'malformed_message' });
});
