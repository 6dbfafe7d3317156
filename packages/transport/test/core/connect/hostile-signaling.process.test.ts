import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createVisitorSeal,
  createWorkerSeal,
  decodeExchange,
  type ExchangeMessage,
  encodeExchange,
  type Identity,
  identityFromSeed,
  roomOf,
  type VisitorSeal,
  type WorkerSeal,
} from '@model-rtc/protocol';
import { type SignalingServer, startSignalingServer } from '@model-rtc/signaling';
import { WebSocket } from 'ws';
import { failure } from '../peer/support.ts';
import { type Attack, type HostileServer, startHostileServer } from './hostile-server.ts';
import { GOOD, SEED, SessionChild, tokenOf, tokenText } from './session-child.ts';
import type { Connected } from './session-process.ts';

const TOKEN = tokenOf(GOOD, 1);
const MALLORY = identityFromSeed(new Uint8Array(32).fill(66));
/** All that one who holds the token can do to look like the worker: the signatures are not the worker's. */
const PRETENDER: Identity = { publicKey: TOKEN.workerKey, sign: (bytes) => MALLORY.sign(bytes) };

describe('a hostile signaling server', () => {
  let server: SignalingServer;
  let hostile: HostileServer;
  let worker: SessionChild;
  let client: SessionChild;
  let attack: () => Attack = () => ({});

  beforeAll(async () => {
    server = await startSignalingServer({ host: '127.0.0.1', port: 0 });
    hostile = await startHostileServer(server.port, () => attack());
    worker = new SessionChild();
    client = new SessionChild();
    const urls = [`ws://127.0.0.1:${server.port}`];
    await worker.tell({ do: 'work', seed: SEED, urls, engine: 'werift', tokens: [GOOD] });
  });

  beforeEach(async () => {
    attack = () => ({});
    await client.tell({ do: 'close' });
  });

  afterAll(async () => {
    await Promise.all([worker.end(), client.end()]);
    await hostile.close();
    await server.close();
  });

  const connect = (timeoutMs = 30_000) =>
    client.tell<Connected>({ do: 'connect', token: tokenText(GOOD, hostile.port), engine: 'werift', timeoutMs });
  const countPeers = async () => (await worker.tell<{ peers: number }>({ do: 'count' })).peers;

  it('that does nothing is a signaling server', async () => {
    expect((await connect()).worker).toBe(`worker ${SEED}`);
  });

  it.each<[string, () => Attack]>([
    ['stands in the middle with the secret of the token, and swaps the fingerprints', manInTheMiddle],
    ['answers in the place of the worker, with the secret', pretender],
    ['takes the true answer to an offer of its own, in the same exchange', borrowedAnswer],
    ['changes a bit of what the worker says', () => ({ toVisitor: (payload) => [flipped(payload)] })],
    ['changes a bit of what the visitor says', () => ({ toWorker: (payload) => [flipped(payload)] })],
    ['repeats what the worker says', () => ({ toVisitor: (payload) => [payload, payload] })],
    ['drops the first thing that the worker says', () => ({ toVisitor: dropFirst() })],
    ['makes something up', () => ({ toVisitor: () => [new Uint8Array(200).fill(1)] })],
    ['turns around what the visitor says', reflection],
  ])('that %s is refused', async (_, begin) => {
    await worker.until<{ peers: number }>({ do: 'count' }, ({ peers }) => peers === 0);
    attack = begin;
    const error = await failure(connect());
    expect(error.code).toBe('refused');
    expect(await countPeers()).toBe(0);
  });

  it('that drops everything can only keep the two apart', async () => {
    attack = () => ({ toVisitor: () => [] });
    expect((await failure(connect(3_000))).code).toBe('timeout');
  });

  it('that repeats a whole exchange to the worker is refused, and the true visitor stays', async () => {
    const seen: Uint8Array[] = [];
    attack = () => ({
      toWorker: (payload) => {
        seen.push(payload);
        return [payload];
      },
    });
    await connect();
    const visitor = await repeat(server.port, seen);
    await worker.until<{ refusals: string[] }>({ do: 'count' }, ({ refusals }) =>
      refusals.some((reason) => reason.includes('seen this very request')),
    );
    expect(await countPeers()).toBe(1);
    expect(await client.tell({ do: 'ask' })).toBe('abababab');
    visitor.terminate();
  });
});

/** Speaks as the worker to the visitor, and as the visitor to the worker, with a certificate of its own. */
function manInTheMiddle(): Attack {
  let towardsVisitor: WorkerSeal | undefined;
  const towardsWorker = createVisitorSeal({ token: TOKEN });
  return {
    toWorker(payload) {
      if (towardsVisitor !== undefined) return [towardsWorker.seal(swapped(towardsVisitor.open(payload)))];
      towardsVisitor = pretendedSeal(payload);
      return [towardsWorker.seal(swapped(towardsVisitor.first))];
    },
    toVisitor: (payload) => [(towardsVisitor as WorkerSeal).seal(swapped(towardsWorker.open(payload).bytes))],
  };
}

function pretender(): Attack {
  let seal: WorkerSeal | undefined;
  let offer: ExchangeMessage | undefined;
  return {
    toWorker(payload) {
      if (seal === undefined) {
        seal = pretendedSeal(payload);
        offer = decodeExchange(seal.first);
      }
      return [payload];
    },
    toVisitor() {
      const sdp = offer?.type === 'offer' ? offer.sdp.replace('a=setup:actpass', 'a=setup:active') : '';
      return [(seal as WorkerSeal).seal(encodeExchange({ type: 'answer', lane: 0, sdp }))];
    },
  };
}

/** The worker signs its answer to the server's own offer; the visitor made another one. */
function borrowedAnswer(): Attack {
  let own: VisitorSeal | undefined;
  return {
    toWorker(payload) {
      if (own !== undefined) return [];
      const randoms = [payload.slice(10, 26)];
      own = createVisitorSeal({
        token: TOKEN,
        random: (length) => randoms.shift() ?? crypto.getRandomValues(new Uint8Array(length)),
      });
      return [own.seal(swapped(pretendedSeal(payload).first))];
    },
  };
}

function reflection(): Attack {
  let said: Uint8Array = new Uint8Array();
  return {
    toWorker(payload) {
      said = payload;
      return [payload];
    },
    toVisitor: () => [said],
  };
}

function dropFirst(): (payload: Uint8Array) => readonly Uint8Array[] {
  let isFirst = true;
  return (payload) => {
    const dropped = isFirst;
    isFirst = false;
    return dropped ? [] : [payload];
  };
}

function pretendedSeal(firstEnvelope: Uint8Array): WorkerSeal {
  return createWorkerSeal({ identity: PRETENDER, firstEnvelope, lookup: () => TOKEN.secret });
}

/** The same message with the fingerprint of another certificate. */
function swapped(bytes: Uint8Array): Uint8Array {
  const message = decodeExchange(bytes);
  if (message?.type !== 'offer' && message?.type !== 'answer') return bytes;
  const sdp = message.sdp.replace(/(a=fingerprint:sha-256 )[0-9A-F:]+/gi, `$1${Array(32).fill('66').join(':')}`);
  return encodeExchange({ ...message, sdp });
}

function flipped(payload: Uint8Array): Uint8Array {
  const changed = payload.slice();
  changed[changed.length - 1] = (changed[changed.length - 1] as number) ^ 1;
  return changed;
}

async function repeat(port: number, payloads: readonly Uint8Array[]): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.send(JSON.stringify({ type: 'visit', room: roomOf(TOKEN.workerKey) }));
  for (const payload of payloads) {
    socket.send(JSON.stringify({ type: 'send', payload: Buffer.from(payload).toString('base64url') }));
  }
  return socket;
}
