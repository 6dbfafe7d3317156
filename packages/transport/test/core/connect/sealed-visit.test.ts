import { describe, expect, it } from '@jest/globals';
import {
  identityFromSeed,
  keyIdText,
  MAX_SEALED_MESSAGE_BYTES,
  ModelRtcError,
  type Scope,
  type SessionToken,
  silentLog,
} from '@model-rtc/protocol';
import type { Link, Visitor, WorkerRegistration } from '@model-rtc/signaling';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { acceptSessionsWith } from '../../../src/core/connect/accept-sessions.ts';
import { MAX_SEALED_REQUESTS, SEALED_BYTES_PER_MINUTE } from '../../../src/core/connect/limits.ts';
import { SealedAnswers, type SealedHandlers, SealedRate } from '../../../src/core/connect/sealed-answers.ts';
import { visitSessionWith } from '../../../src/core/connect/sealed-visit.ts';
import { LaneQueue } from '../../../src/core/lane/lane-queue.ts';
import { failure } from '../peer/support.ts';

const identity = identityFromSeed(new Uint8Array(32).fill(7));
const TOKEN: SessionToken = {
  ...{ urls: ['ws://127.0.0.1:8787'], workerKey: identity.publicKey, expiresAt: undefined, scopes: ['read'] },
  ...{ keyId: new Uint8Array(8).fill(1), secret: new Uint8Array(16).fill(2) },
};
const record = (bytes: number, fill = 65) => new Uint8Array(bytes).fill(fill);

/** Two links that are one, and all that a server between them sees. */
function linkedPair(seen: Uint8Array[]): [Link, Visitor] {
  const queues = [new LaneQueue(() => {}), new LaneQueue(() => {})] as const;
  const [one, other] = ([0, 1] as const).map((side): Link => {
    const [mine, theirs] = [queues[side], queues[1 - side] as LaneQueue];
    const send = async (bytes: Uint8Array) => {
      seen.push(bytes);
      theirs.push(bytes);
    };
    const close = () => {
      mine.end();
      theirs.end();
    };
    return { serverUrl: 'ws://127.0.0.1:8787', send, messages: mine, close, closed: new Promise(() => {}) };
  });
  return [one as Link, { ...(other as Link), visitor: 'v' }];
}

function startWorker(handlers: SealedHandlers, scopes: readonly Scope[] = ['read']) {
  const clock = new VirtualClock();
  const seen: Uint8Array[] = [];
  const arriving = new LaneQueue(() => {}) as unknown as {
    push(visitor: Visitor): void;
  } & AsyncIterable<Visitor>;
  const keyId = keyIdText(TOKEN.keyId);
  const acceptor = acceptSessionsWith(
    {
      loadEngine: async () => ({ name: 'native' }) as never,
      createAnswer: () => () => Promise.reject(new Error('no')),
    },
    {
      ...{ registration: { visitors: arriving } as unknown as WorkerRegistration, identity, clock, log: silentLog },
      ...{ agent: { name: 'w', version: '0' }, handlers: () => ({}), sealedHandlers: () => handlers },
      authorize: (id) => (id === keyId ? { secret: TOKEN.secret, authority: { scopes, keyId } } : undefined),
    },
  );
  const visit = async (token: Partial<SessionToken> = {}) => {
    const [link, visitor] = linkedPair(seen);
    arriving.push(visitor);
    return await visitSessionWith(async () => link, { token: { ...TOKEN, ...token }, clock });
  };
  return { acceptor, clock, seen, visit };
}

describe('a visit without a connection', () => {
  it('asks and is answered, in as many pieces as it takes, and the server sees nothing of it', async () => {
    const [asked, given] = [record(60_000, 97), [record(65_536, 98), record(65_536, 99)]];
    const { visit, seen } = startWorker({
      mesh_gossip: async ({ records }) => ({ records: [...records, ...given], want: ['roster'] }),
    });
    const visited = await visit();
    const answer = await visited.request('mesh_gossip', { records: [asked, asked] });
    expect(answer).toEqual({ records: [asked, asked, ...given], want: ['roster'] });
    expect((await visited.request('mesh_gossip', { records: [] })).records).toEqual(given);
    const all = Buffer.concat(seen).toString('latin1');
    for (const text of ['mesh_gossip', 'roster', 'aaaa', 'bbbb']) expect(all).not.toContain(text);
    expect(Math.max(...seen.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
  });

  it('is refused with a key id that the worker does not know, and without the scope', async () => {
    const handlers: SealedHandlers = { mesh_fetch: async () => ({ parts: [] }) };
    const ask = { parts: ['ab'.repeat(32)] };
    const stranger = await startWorker(handlers).visit({ keyId: new Uint8Array(8).fill(9) });
    expect((await failure(stranger.request('mesh_fetch', ask))).code).toBe('refused');
    const scopeless = await startWorker(handlers, []).visit();
    expect((await failure(scopeless.request('mesh_fetch', ask))).code).toBe('scope_missing');
  });

  it('cannot ask what the worker does not answer without a connection', async () => {
    const visited = await startWorker({}).visit();
    expect((await failure(visited.request('mesh_gossip', { records: [] }))).code).toBe('refused');
  });

  it('is told what the handler says, and what is too long is not sent', async () => {
    const { visit, seen } = startWorker({
      mesh_gossip: async () => {
        throw new ModelRtcError('token_revoked', 'You left.');
      },
    });
    const visited = await visit();
    expect(await failure(visited.request('mesh_gossip', { records: [] }))).toMatchObject({
      ...{ code: 'token_revoked', message: 'You left.' },
    });
    const sent = seen.length;
    const tooLong = Array.from({ length: 9 }, () => record(65_536));
    expect((await failure(visited.request('mesh_gossip', { records: tooLong }))).code).toBe('bad_argument');
    expect(seen).toHaveLength(sent);
  });

  it('passes so much in a minute, and more in the next one', async () => {
    const { visit, clock } = startWorker({ mesh_gossip: async () => ({ records: [], want: [] }) });
    const records = Array.from({ length: 7 }, () => record(65_536));
    const times = Math.floor(SEALED_BYTES_PER_MINUTE / (7 * 65_536));
    for (let time = 0; time < times; time++) {
      using visited = await visit();
      await visited.request('mesh_gossip', { records });
    }
    const refused = await visit();
    expect((await failure(refused.request('mesh_gossip', { records }))).code).toBe('busy');
    await clock.advance(60_000);
    const again = await visit();
    expect(await again.request('mesh_gossip', { records })).toEqual({ records: [], want: [] });
  });
});

describe('the requests of one exchange', () => {
  const answers = () => {
    const options = { authority: { scopes: [], keyId: '00' }, handlers: {}, log: silentLog } as const;
    return new SealedAnswers({ ...options, rate: new SealedRate(new VirtualClock()), send: async () => {} });
  };
  const piece = (lane: number, bytes = 1, more?: true) =>
    ({ type: 'request', lane, bytes: new Uint8Array(bytes), ...(more && { more }) }) as const;

  it('are limited in number', () => {
    const taking = answers();
    for (let lane = 0; lane < MAX_SEALED_REQUESTS; lane++) taking.take(piece(lane));
    expect(() => taking.take(piece(MAX_SEALED_REQUESTS))).toThrow('too much without a connection');
  });

  it('are limited in length, however they are cut', () => {
    const taking = answers();
    const send = () => {
      for (let sent = 0; sent <= MAX_SEALED_MESSAGE_BYTES; sent += 60_000) taking.take(piece(1, 60_000, true));
    };
    expect(send).toThrow('more than may go');
    expect(() => answers().take(piece(1, 0, true))).toThrow('more than may go');
  });
});
