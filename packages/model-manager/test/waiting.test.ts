import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../test/support/registry-folder.ts';
import type { PullProgress } from '../src/index.ts';
import { registryScene } from './support/registry-scene.ts';

const FP16 = 'fast-whisper/tiny@fp16';

/** Two managers of one folder, as two processes have them; the registry holds its content until `release`. */
async function twoPulls() {
  const scene = await registryScene();
  const home = join(await temporaryFolder(), 'home');
  const [first, second] = [await scene.manager(home), await scene.manager(home)];
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const isHeld = new Promise<void>((resolve) => {
    scene.server.misbehave = async ({ range }) => {
      if (range === undefined) return false;
      resolve();
      await released;
      return false;
    };
  });
  const stop = new AbortController();
  const pulling = first.pull(FP16, { signal: stop.signal });
  await isHeld;
  const waiting = new AbortController();
  let report: (progress: PullProgress) => void = () => {};
  const reported = new Promise<PullProgress>((resolve) => {
    report = (progress) => {
      if (progress.type === 'waiting') resolve(progress);
    };
  });
  const other = second.pull(FP16, { onProgress: (progress) => report(progress), signal: waiting.signal });
  return { scene, pulling, other, reported, release, stop, waiting, second };
}

describe('a pull of a model that another process is pulling', () => {
  it('says so at once, waits, and finds the model there', async () => {
    const { scene, pulling, other, reported, release } = await twoPulls();
    expect(await reported).toEqual({ type: 'waiting', reason: expect.stringContaining('Another process') });
    release();
    expect(await pulling).toMatchObject({ outcome: 'installed' });
    expect(await other).toMatchObject({ outcome: 'already_there', transferredBytes: 0, model: { isWhole: true } });
    const chunks = scene.server.asked.filter(({ range }) => range !== undefined).map(({ path }) => path);
    expect(chunks).toHaveLength(new Set(chunks).size);
  });

  it('takes over when the other one gives up', async () => {
    const { pulling, other, reported, release, stop } = await twoPulls();
    await reported;
    stop.abort();
    await expect(pulling).rejects.toMatchObject({ kind: 'cancelled' });
    release();
    expect(await other).toMatchObject({ outcome: 'installed', model: { isWhole: true } });
  });

  it('can be broken off while it waits', async () => {
    const { pulling, other, reported, release, waiting } = await twoPulls();
    await reported;
    waiting.abort();
    await expect(other).rejects.toMatchObject({ kind: 'cancelled' });
    release();
    expect(await pulling).toMatchObject({ outcome: 'installed' });
  });
});
