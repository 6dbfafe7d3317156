import { expect, it } from '@jest/globals';
import { type Digest, type Manifest, packValue } from '@model-rtc/protocol';
import { connectedPeers, INFO } from './support.ts';

const SHA256 = 'ab'.repeat(32) as Digest;

it('answers other peers while the manifest of one is read and checked', async () => {
  const files = Array.from({ length: 60_000 }, (_, n) => ({
    path: `layer-${n % 97}/${n}.bin`,
    size: 0,
    sha256: SHA256,
  }));
  const manifest = { version: 1, files, chunker: 'c', chunks: [] } as unknown as Manifest;
  const plan = { transferBytes: 0, reusedBytes: 0, resumedBytes: 0, exists: false };
  const { client: pusher, worker } = await connectedPeers({ worker: { handlers: { plan_push: async () => plan } } });
  const { client: other } = await connectedPeers({ worker: { handlers: { get_model_info: async () => INFO } } });
  let planned = false;
  const planning = pusher.request('plan_push', { manifest }).finally(() => {
    planned = true;
  });
  // Nearly all of it has come: each piece gives the others a turn, and there are three more at most.
  const { length } = packValue({ type: 'request', id: 1, method: 'plan_push', params: { manifest } });
  while ((worker.lanes[0]?.receivedBytes ?? 0) < length - 150_000) await new Promise(setImmediate);
  let answers = 0;
  for (; !planned; answers++) {
    await other.request('get_model_info', { ref: 'a' });
    // Lanes in memory need no turn of the event loop.
    await new Promise(setImmediate);
  }
  await planning;
  expect(answers).toBeGreaterThan(8);
  await Promise.all([pusher.close(), other.close()]);
});
