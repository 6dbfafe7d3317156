import { expect, it } from '@jest/globals';
import { treeDigest } from '../support/files.ts';
import type { MeshMachine } from '../support/mesh-scene.ts';
import { openMeshSwarm, pulled, startPull } from '../support/mesh-swarm.ts';
import { IGNORED } from '../support/scene.ts';
import { describeWith, longIt, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

/**
 * Six nodes are twelve processes that two processors can drive beside another test. Set
 * MODEL_RTC_SWARM_NODES=20 where nothing else runs: twenty nodes take both processors for half a minute to start.
 */
const NODES = Number(process.env.MODEL_RTC_SWARM_NODES ?? 6);
const MODEL_BYTES = 24_000_000;
/** One copy of the model takes 48 s. `npm run bench -- swarm` measures the time. */
const SEED_RATE = '500kB';

const lab = useLab();

describeWith(WAN_REQUIREMENTS, 'many nodes that fetch one model from one slow node', () => {
  it('pass it on to each other, so that the slow one sends little more than one copy', async () => {
    const swarm = await openMeshSwarm(lab, { nodes: NODES, modelBytes: MODEL_BYTES, seedRate: SEED_RATE });
    const { others, digest } = swarm;
    const pulls = others.map((machine) => startPull(machine));
    const results = await Promise.all(pulls.map(async ({ exited }) => pulled(await exited)));
    expect(results.map(({ entry }) => entry.digest)).toEqual(others.map(() => digest));
    const whole = await treeDigest(swarm.modelFolder);
    for (const { entry } of results) expect(await treeDigest(entry.localPath, IGNORED)).toEqual(whole);
    expect(await swarm.sentBySeed()).toBeLessThan(1.5 * MODEL_BYTES);
  }, 600_000);
});

describeWith(WAN_REQUIREMENTS, 'three nodes whose seed is killed while they fetch', () => {
  it('finish among themselves where one of them has all of it', async () => {
    const swarm = await openMeshSwarm(lab, { nodes: 3, modelBytes: 12_000_000, seedRate: '2MB' });
    const [quick, ...slow] = swarm.others as [MeshMachine, ...MeshMachine[]];
    const slowPulls = slow.map((machine) => startPull(machine, '--limit', '400kB'));
    await Promise.all(slowPulls.map((pull) => pull.waitForStdout(/"doneBytes":[1-9]/)));
    expect(pulled(await startPull(quick).exited).outcome).toBe('pulled');
    await swarm.seedWorker.kill('SIGKILL');
    for (const { stdout } of slowPulls) expect(stdout).not.toContain('"event":"result"');
    const results = await Promise.all(slowPulls.map(async ({ exited }) => pulled(await exited)));
    const whole = await treeDigest(swarm.modelFolder);
    for (const { entry } of results) expect(await treeDigest(entry.localPath, IGNORED)).toEqual(whole);
  }, 600_000);

  longIt(
    'wait for it where parts are missing, say so, and finish with what they kept when it is back',
    async () => {
      const swarm = await openMeshSwarm(lab, { nodes: 3, modelBytes: 12_000_000, seedRate: '1MB' });
      const pulls = swarm.others.map((machine) => startPull(machine));
      await Promise.all(pulls.map((pull) => pull.waitForStdout(/"doneBytes":[1-9]\d{6}/)));
      await swarm.seedWorker.kill('SIGKILL');
      await Promise.all(pulls.map((pull) => pull.waitForStdout(/"worker":"seed","state":"lost"/)));
      await swarm.seed.startWorker();
      const results = await Promise.all(pulls.map(async ({ exited }) => pulled(await exited)));
      const whole = await treeDigest(swarm.modelFolder);
      for (const { entry } of results) expect(await treeDigest(entry.localPath, IGNORED)).toEqual(whole);
      expect(await swarm.sentBySeed()).toBeLessThan(1.7 * 12_000_000);
    },
    600_000,
  );
});
