import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  createVisitorSeal,
  createWorkerSeal,
  decodeExchange,
  type ExchangeMessage,
  encodeExchange,
  encodeSessionToken,
  identityFromSeed,
  parseSessionToken,
  type SessionToken,
  type VisitorSeal,
  type WorkerSeal,
} from '@model-rtc/protocol';
import { type SignalingJson, startHostileSignaling, type Tampering } from '../support/hostile-signaling.ts';
import { errorOf, FIXTURES, importModel, openScene, pull } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab();
const asIs: Tampering = { toServer: (message) => [message], toVisitor: (message) => [message] };

/** A worker with a model, and a client that is led to the hostile server. */
async function opened(tamper: (token: SessionToken) => Tampering) {
  const scene = await openScene(lab);
  await importModel(scene.worker, join(FIXTURES, 'tiny-onnx'), 'wanted');
  const token = parseSessionToken(scene.session);
  const url = await startHostileSignaling(lab, scene.signalingUrl, () => tamper(token));
  const client = await lab.machine('client', {
    env: { MODEL_RTC_SESSION: encodeSessionToken({ ...token, urls: [url] }) },
  });
  return { scene, client };
}

/** The pull must end with exit 8, and nothing of the model may be there. */
async function expectRefused(client: Awaited<ReturnType<typeof opened>>['client'], lane = 'auto'): Promise<void> {
  const result = await client.run(['client', 'pull-model', 'wanted', '--lane', lane, '--json']);
  expect({ exitCode: result.exitCode, code: errorOf(result).code }).toEqual({ exitCode: 8, code: 'refused' });
  expect(errorOf(result).message).toMatch(/signaling server/i);
  expect((await readdir(join(client.home, 'models'))).filter((name) => !name.startsWith('registry.json'))).toEqual([]);
}

function withBitFlipped(message: SignalingJson): SignalingJson {
  const bytes = Buffer.from(message.payload ?? '', 'base64url');
  const at = bytes.length - 5;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return { ...message, payload: bytes.toString('base64url') };
}

/** The message with the attacker's key in the place of the sender's. @returns undefined for one that tells no key. */
function withItsKeys(message: ExchangeMessage): ExchangeMessage | undefined {
  const its = new Uint8Array(32).fill(0xab);
  const itsFingerprint = Array.from(its, (byte) => byte.toString(16).toUpperCase()).join(':');
  if (message.type === 'offer' || message.type === 'answer') {
    const sdp = message.sdp.replaceAll(/(a=fingerprint:sha-256 )[0-9A-Fa-f:]+/g, `$1${itsFingerprint}`);
    return sdp === message.sdp ? undefined : { ...message, sdp };
  }
  if (message.type === 'direct_offer') return { ...message, certificate: its };
  if (message.type === 'relay_ask' || message.type === 'relay_offer') return { ...message, publicKey: its };
  return undefined;
}

/**
 * A server that also holds the token, as any other client of the worker may: it can open and make sealed envelopes. It
 * puts its own keys in the place of both sides', so that both would speak to it.
 */
class FingerprintSwapper implements Tampering {
  readonly #token: SessionToken;
  readonly #toWorker: VisitorSeal;
  #toVisitor: WorkerSeal | undefined;
  swapped = { offers: 0, answers: 0 };

  constructor(token: SessionToken) {
    this.#token = token;
    this.#toWorker = createVisitorSeal({ token });
  }

  toServer(message: SignalingJson): SignalingJson[] {
    if (message.type !== 'send') return [message];
    const envelope = bytesOf(message);
    const opened = this.#toVisitor === undefined ? this.#begin(envelope) : this.#toVisitor.open(envelope);
    return [resealed(message, this.#toWorker.seal(this.#swap(opened, 'offers')))];
  }

  toVisitor(message: SignalingJson): SignalingJson[] {
    if (message.type !== 'from' || this.#toVisitor === undefined) return [message];
    const { bytes } = this.#toWorker.open(bytesOf(message));
    return [resealed(message, this.#toVisitor.seal(this.#swap(bytes, 'answers')))];
  }

  /** It knows the worker's public key and the secret, and has to sign with a key of its own. */
  #begin(firstEnvelope: Uint8Array): Uint8Array {
    const own = identityFromSeed(new Uint8Array(32).fill(66));
    const identity = { publicKey: this.#token.workerKey, sign: (bytes: Uint8Array) => own.sign(bytes) };
    this.#toVisitor = createWorkerSeal({ identity, firstEnvelope, lookup: () => this.#token.secret });
    return this.#toVisitor.first;
  }

  #swap(bytes: Uint8Array, count: 'offers' | 'answers'): Uint8Array {
    const message = decodeExchange(bytes);
    const swapped = message === undefined ? undefined : withItsKeys(message);
    if (swapped === undefined) return bytes;
    this.swapped[count]++;
    return encodeExchange(swapped);
  }
}

function bytesOf({ payload }: SignalingJson): Uint8Array {
  return new Uint8Array(Buffer.from(payload ?? '', 'base64url'));
}

function resealed(message: SignalingJson, envelope: Uint8Array): SignalingJson {
  return { ...message, payload: Buffer.from(envelope).toString('base64url') };
}

describe('a signaling server that stands in the middle', () => {
  it('is of no consequence while it passes on what it gets', async () => {
    const { client } = await opened(() => asIs);
    expect(await pull(client, 'wanted')).toMatchObject({ outcome: 'pulled' });
  }, 60_000);

  // One kind of lane at a time: in a race the refusal of one kind may end the pull before the other has made its offer.
  it.each([
    ['webrtc', { offers: 1, answers: 1 }],
    ['direct', { offers: 0, answers: 1 }],
    ['relay', { offers: 1, answers: 1 }],
  ])(
    'is refused when it swaps the keys of a %s lane, even when it knows the token’s secret',
    async (lane, swapped) => {
      const swappers: FingerprintSwapper[] = [];
      const { client } = await opened((token) => {
        const swapper = new FingerprintSwapper(token);
        swappers.push(swapper);
        return swapper;
      });
      await expectRefused(client, lane);
      // The attack went all the way: each key was swapped before the client refused.
      expect(swappers[0]?.swapped).toEqual(swapped);
    },
    60_000,
  );

  it('is refused when it changes a single bit of what the worker says', async () => {
    const { client } = await opened(() => ({
      ...asIs,
      toVisitor: (message) => [message.type === 'from' ? withBitFlipped(message) : message],
    }));
    await expectRefused(client);
  }, 60_000);

  it('is refused when it answers with what the worker said to another client', async () => {
    let recorded: SignalingJson | undefined;
    const { scene, client } = await opened(() => ({
      ...asIs,
      toVisitor: (message) => {
        if (message.type !== 'from') return [message];
        recorded ??= message;
        return [recorded];
      },
    }));
    const first = await client.run(['worker', 'list-models', '--json']);
    expect(recorded).toBeDefined();
    await expectRefused(client);
    // The first client's own answer was passed on again as its second message, which it refused as well or did not need.
    expect([0, 8]).toContain(first.exitCode);
    const honest = await scene.client('honest');
    await honest.succeed(['worker', 'list-models']);
  }, 60_000);
});
