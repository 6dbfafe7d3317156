import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  createWorkerSeal,
  decodeExchange,
  encodeSessionToken,
  identityFromSeed,
  parseSessionToken,
  type SessionToken,
  type WorkerSeal,
} from '@model-rtc/protocol';
import { makeRandomFile } from '../support/files.ts';
import { type SignalingJson, startHostileSignaling, type Tampering } from '../support/hostile-signaling.ts';
import { errorOf, FIXTURES, importModel, openScene, pull, push, resultsOf, type Scene } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab();

interface Offer {
  readonly lane: number;
  readonly iceUfrag: string | undefined;
}

/**
 * A way to the worker on which nothing comes back, until the visitor has made as many offers as it is given. It holds the
 * token, so that it can read what visitors say.
 */
class SilentAtFirst implements Tampering {
  readonly offers: Offer[] = [];
  readonly #token: SessionToken;
  readonly #patience: number;
  #seal: WorkerSeal | undefined;
  readonly #held: SignalingJson[] = [];

  constructor(token: SessionToken, patience: number) {
    this.#token = token;
    this.#patience = patience;
  }

  toServer(message: SignalingJson): SignalingJson[] {
    if (message.type === 'send') this.#note(new Uint8Array(Buffer.from(message.payload ?? '', 'base64url')));
    return [message];
  }

  toVisitor(message: SignalingJson): SignalingJson[] {
    if (message.type !== 'from') return [message];
    this.#held.push(message);
    return this.offers.length < this.#patience ? [] : this.#held.splice(0);
  }

  #note(envelope: Uint8Array): void {
    const exchanged = decodeExchange(this.#open(envelope));
    if (exchanged?.type !== 'offer') return;
    this.offers.push({ lane: exchanged.lane, iceUfrag: /a=ice-ufrag:(\S+)/.exec(exchanged.sdp)?.[1] });
  }

  #open(envelope: Uint8Array): Uint8Array {
    if (this.#seal !== undefined) return this.#seal.open(envelope);
    const own = identityFromSeed(new Uint8Array(32).fill(66));
    const identity = { publicKey: this.#token.workerKey, sign: (bytes: Uint8Array) => own.sign(bytes) };
    this.#seal = createWorkerSeal({ identity, firstEnvelope: envelope, lookup: () => this.#token.secret });
    return this.#seal.first;
  }
}

describe('a first connection that hangs', () => {
  it('is given up for a fresh one, whichever the engine', async () => {
    const scene = await openScene(lab);
    await importModel(scene.worker, join(FIXTURES, 'tiny-onnx'), 'wanted');
    // At once: each waits out the time that an attempt has.
    await Promise.all(['native', 'werift'].map((engine) => expectFreshConnection(scene, engine)));
  }, 120_000);
});

async function expectFreshConnection(scene: Scene, engine: string): Promise<void> {
  const token = parseSessionToken(scene.session);
  const ways: SilentAtFirst[] = [];
  const url = await startHostileSignaling(lab, scene.signalingUrl, () => {
    const way = new SilentAtFirst(token, 2);
    ways.push(way);
    return way;
  });
  const session = encodeSessionToken({ ...token, urls: [url] });
  const client = await lab.machine(engine, { env: { MODEL_RTC_SESSION: session } });
  const pulled = await pull(client, 'wanted', '--engine', engine, '--lane', 'webrtc');
  expect(pulled).toMatchObject({ outcome: 'pulled', lanes: [{ engine }] });
  // The one exchange was gone on with, over a PeerConnection that has nothing of the first.
  expect(ways).toHaveLength(1);
  const [first, second, ...more] = ways[0]?.offers ?? [];
  expect([first?.lane, second?.lane, more]).toEqual([0, 1, []]);
  expect(first?.iceUfrag).toBeDefined();
  expect(second?.iceUfrag).not.toBe(first?.iceUfrag);
}

describe('a session that is revoked while it is in use', () => {
  it.each(['pull', 'push'] as const)(
    'ends a %s under way with exit 8, and leaves the others alone',
    async (way) => {
      const scene = await openScene(lab);
      const created = await scene.worker.succeed(['worker', 'sessions', 'create', '--scope', 'read,write', '--json']);
      const { token, session } = created.json<{ token: string; session: { keyId: string } }>();
      const client = await scene.client('revoked');
      const folder = join(await lab.folder(), 'model');
      // Slow enough to be still under way when the worker looks at its sessions again.
      await makeRandomFile(join(folder, 'weights.msgpack'), 150_000_000);
      await importModel(way === 'pull' ? scene.worker : client, folder, 'big');
      const more = ['--limit', '10MB', '--json', '--worker', token];
      const transfer = client.start(['client', `${way}-model`, 'big', ...more]);
      await transfer.waitForStderr(/transferring +[1-9]/);
      await scene.worker.succeed(['worker', 'sessions', 'revoke', session.keyId]);
      const ended = await transfer.exited;
      expect([ended.exitCode, errorOf(ended).code, resultsOf(ended)]).toEqual([8, 'token_revoked', []]);
      expect(ended.jsonLines().at(-1)).toMatchObject({ state: 'failed', reason: 'refused', code: 'token_revoked' });
      const receiver = way === 'pull' ? client : scene.worker;
      const listed = (await receiver.succeed(['client', 'list-models', '--json'])).json<{ models: unknown[] }>();
      expect(listed.models).toEqual([]);
      const other = await scene.client('other');
      await importModel(other, join(FIXTURES, 'tiny-onnx'), 'small');
      expect(await push(other, 'small')).toMatchObject({ outcome: 'pushed' });
    },
    120_000,
  );
});
