import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { carrying, kindsOf } from '../support/carrying.ts';
import type { CommandResult, RunningCommand } from '../support/command.ts';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import { IGNORED, importModel, type TransferJson } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';
import type { Traffic } from '../support/traffic-filter.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';
import { DIRECT_PORT, openWanScene, SIGNALING_PORT, type WanScene } from '../support/wan-scene.ts';

const MEGABYTE = 1_000_000;
const DIRECT: Traffic = { tcpPort: DIRECT_PORT };
/** Where clients and worker find each other, and where they are relayed. */
const SERVER: Traffic = { tcpPort: SIGNALING_PORT };
const lab = useLab();

/** A worker with a model at the far end of a link that is slow enough to catch a transfer in the middle. */
async function openSlowScene(megabytes: number): Promise<{ scene: WanScene; folder: string; size: number }> {
  const scene = await openWanScene(lab, {
    rateMbit: 80,
    delayMs: 5,
    workerArgs: ['--direct-port', String(DIRECT_PORT)],
  });
  const folder = join(await lab.folder(), 'model');
  await makeRandomFile(join(folder, 'weights.msgpack'), megabytes * MEGABYTE);
  await importModel(scene.worker, folder, 'big');
  return { scene, folder, size: megabytes * MEGABYTE };
}

async function startPull(scene: WanScene, ...more: string[]): Promise<RunningCommand> {
  return (await scene.client('client')).start(['client', 'pull-model', 'big', '--json', ...more]);
}

/** The transfer's result, once what arrived is the model, and nothing of it was fetched twice. */
async function pulledWhole(
  { exitCode, stderr, ...ended }: CommandResult,
  folder: string,
  size: number,
): Promise<TransferJson> {
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const pulled = ended.json<TransferJson>();
  expect(await treeDigest(pulled.entry.localPath, IGNORED)).toEqual(await treeDigest(folder));
  expect(pulled.transferredBytes).toBe(size);
  return pulled;
}

describeWith(WAN_REQUIREMENTS, 'a lane that is cut in the middle of a transfer', () => {
  it.each<[lane: 'direct' | 'webrtc', cut: Traffic, other: 'webrtc' | 'relay', blocked: Traffic[]]>([
    ['direct', DIRECT, 'webrtc', []],
    ['webrtc', 'udp', 'relay', [DIRECT]],
  ])(
    'is replaced: %s',
    async (lane, cut, other, blocked) => {
      const { scene, folder, size } = await openSlowScene(40);
      const { filter } = scene.wan.left;
      for (const traffic of blocked) await filter.cut(traffic);
      const running = await startPull(scene);
      await running.waitForStdout(carrying(lane));
      await filter.cut(cut);
      const pulled = await pulledWhole(await running.exited, folder, size);
      // The relay may carry something too before a webrtc lane is up.
      expect(kindsOf(pulled)).toEqual(expect.arrayContaining([lane, other]));
    },
    120_000,
  );

  it('is left for a better one, and missed by nobody: a transfer begins on relay and ends on direct', async () => {
    const { scene, folder, size } = await openSlowScene(120);
    const { filter } = scene.wan.left;
    await filter.cut('udp');
    await filter.cut(DIRECT);
    const running = await startPull(scene);
    await running.waitForStdout(carrying('relay'));
    await filter.heal();
    await running.waitForStdout(carrying('direct'));
    await filter.cut(SERVER);
    const pulled = await pulledWhole(await running.exited, folder, size);
    expect(kindsOf(pulled)).toEqual(expect.arrayContaining(['direct', 'relay']));
  }, 120_000);
});

describeWith(WAN_REQUIREMENTS, 'a network that is gone for 20 s', () => {
  it('costs a transfer nothing that had arrived', async () => {
    const { scene, folder, size } = await openSlowScene(40);
    const { filter } = scene.wan.left;
    const running = await startPull(scene);
    await running.waitForStdout(/"state":"transferring"[^\n]*"doneBytes":[1-9]/);
    await filter.cut('everything');
    const gone = new Promise((resolve) => setTimeout(resolve, 20_000));
    await running.waitForStderr(/connection was lost/i);
    await gone;
    await filter.heal();
    await pulledWhole(await running.exited, folder, size);
  }, 120_000);
});
