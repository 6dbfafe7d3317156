import { expect, it } from '@jest/globals';
import { treeDigest } from '../support/files.ts';
import { inTurn, openMeshSwarm, pulled, startPull } from '../support/mesh-swarm.ts';
import { IGNORED } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

/**
 * Four nodes are eight processes that two processors can drive. Set MODEL_RTC_SWARM_NODES=20 where there are more of them, or where
 * nothing else runs.
 */
const NODES = Number(process.env.MODEL_RTC_SWARM_NODES ?? 4);
const MODEL_BYTES = 24_000_000;

const lab = useLab();

describeWith(WAN_REQUIREMENTS, 'many nodes that fetch one model from one slow node', () => {
  it('pass it on to each other, so that the slow one sends little more than one copy', async () => {
    const swarm = await openMeshSwarm(lab, { nodes: NODES, modelBytes: MODEL_BYTES, seedRate: '1MB' });
    const { others, digest } = swarm;
    const pulls = others.map((machine) => startPull(machine));
    const results = await Promise.all(pulls.map(async ({ exited }) => pulled(await exited)));
    expect(results.map(({ entry }) => entry.digest)).toEqual(others.map(() => digest));
    await inTurn(others, (machine) => machine.succeed(['client', 'verify', 'mouse']));
    const whole = await treeDigest(swarm.modelFolder);
    for (const { entry } of results) expect(await treeDigest(entry.localPath, IGNORED)).toEqual(whole);
    expect(await swarm.sentBySeed()).toBeLessThan(1.5 * MODEL_BYTES);
  }, 600_000);
});
