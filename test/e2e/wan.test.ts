import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { kindsOf } from '../support/carrying.ts';
import type { CommandResult } from '../support/command.ts';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import { IGNORED, importModel, type TransferJson } from '../support/scene.ts';
import { describeWith, isLongRun, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';
import { openWanScene, type WanScene, type WanSceneOptions } from '../support/wan-scene.ts';

const MEGABYTE = 1_000_000;
/** Far above what any takes that does not hang. */
const HANGS_AFTER_MS = 60_000;
const NATIVE = ['--lane', 'webrtc', '--engine', 'native'];
/** Each lane and engine has as many of them. */
const TRANSFERS = isLongRun ? 50 : 10;

const lab = useLab();

async function openModelScene(size: number, options: WanSceneOptions): Promise<{ scene: WanScene; folder: string }> {
  const scene = await openWanScene(lab, options);
  const folder = join(await lab.folder(), 'model');
  await makeRandomFile(join(folder, 'weights.msgpack'), size);
  await importModel(scene.worker, folder, 'big');
  return { scene, folder };
}

/** Pulls with a client of its own, which has nothing yet. */
async function pullOnce(scene: WanScene, name: string, ...more: string[]): Promise<CommandResult> {
  const running = (await scene.client(name)).start(['client', 'pull-model', 'big', '--json', ...more]);
  const limit = setTimeout(() => void running.kill('SIGKILL').catch(() => undefined), HANGS_AFTER_MS);
  return await running.exited.finally(() => clearTimeout(limit));
}

describeWith(WAN_REQUIREMENTS, 'a path that loses one packet in a hundred', () => {
  it(`lets ${TRANSFERS} transfers in a row through, whichever lane and engine carries them`, async () => {
    const { scene, folder } = await openModelScene(300_000, { lossPercent: 1, delayMs: 10, rateMbit: 100 });
    const lanes = [
      ['webrtc', 'native'],
      ['direct', 'auto'],
      ['webrtc', 'werift'],
      ['relay', 'auto'],
      ['auto', 'auto'],
    ] as const;
    const wanted = await treeDigest(folder);
    let left = TRANSFERS;
    const goOn = async (): Promise<void> => {
      for (let i = left--; i > 0; i = left--) {
        const [lane, engine] = lanes[i % lanes.length] as (typeof lanes)[number];
        const { exitCode, signal, stderr, ...ended } = await pullOnce(
          scene,
          `client-${i}`,
          '--lane',
          lane,
          '--engine',
          engine,
        );
        expect({ i, lane, engine, exitCode, signal, stderr }).toMatchObject({ exitCode: 0 });
        expect(await treeDigest(ended.json<TransferJson>().entry.localPath, IGNORED)).toEqual(wanted);
      }
    };
    // A few rows at once: each waits for the network most of the time.
    await Promise.all(Array.from({ length: 4 }, goOn));
  }, 300_000);
});

describeWith(WAN_REQUIREMENTS, 'the size of packets', () => {
  it.each([
    ['as large as the path carries', undefined, true],
    ['small where larger ones vanish', { udpAbove: 1400 }, false],
  ] as const)('is %s', async (_, cut, isLarge) => {
    const { scene, folder } = await openModelScene(20 * MEGABYTE, { delayMs: 10, rateMbit: 100 });
    if (cut !== undefined) await scene.wan.left.filter.cut(cut);
    const { exitCode, stderr, ...ended } = await pullOnce(scene, 'client', ...NATIVE, '--verbose');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(/"mtu":1500,"msg":"a further connection is up"/.test(stderr)).toBe(isLarge);
    expect(await treeDigest(ended.json<TransferJson>().entry.localPath, IGNORED)).toEqual(await treeDigest(folder));
  });
});

describeWith(WAN_REQUIREMENTS, 'a relay at its limits', () => {
  it('shares what it may carry among all, and lets each of them end', async () => {
    const { scene, folder } = await openModelScene(6 * MEGABYTE, { signalingArgs: ['--relay-total', '4MB'] });
    const startedMs = performance.now();
    const ends = await Promise.all(['one', 'two', 'three'].map((name) => pullOnce(scene, name, '--lane', 'relay')));
    const seconds = (performance.now() - startedMs) / 1000;
    const wanted = await treeDigest(folder);
    for (const { exitCode, stderr, ...ended } of ends) {
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      const pulled = ended.json<TransferJson>();
      expect(kindsOf(pulled)).toEqual(['relay']);
      expect(await treeDigest(pulled.entry.localPath, IGNORED)).toEqual(wanted);
    }
    // Besides what may come at once.
    expect((3 * 6) / seconds).toBeLessThan(4 * 1.5);
  }, 120_000);
});
