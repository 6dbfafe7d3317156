import { expect, it } from '@jest/globals';
import { openLocalNetworks } from '../support/local-network.ts';
import {
  addModel,
  arePresent,
  isHeldBy,
  type MeshMachine,
  type MeshPeerJson,
  meshMachine,
  until,
} from '../support/mesh-scene.ts';
import { errorOf } from '../support/scene.ts';
import { shiftedClock } from '../support/shifted-clock.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

const lab = useLab();
const HOUR_MS = 3_600_000;
const NAMES = ['anna', 'ben', 'cleo'] as const;

const says = (name: string, words: RegExp) => (peers: readonly MeshPeerJson[]) =>
  words.test(peers.find((peer) => peer.name === name)?.problem ?? '');
const hasNoProblem = (peers: readonly MeshPeerJson[]): boolean => peers.every(({ problem }) => problem === undefined);

describeWith(WAN_REQUIREMENTS, 'a machine whose clock is wrong', () => {
  it('is told so when it joins and while it runs, as the others are, and is well again once the clock is set', async () => {
    const clock = await shiftedClock(lab, HOUR_MS);
    const hosts = await openLocalNetworks(lab, [[0], [0], [0]]);
    const machines = await Promise.all(
      NAMES.map((name, i) =>
        meshMachine(lab, name, { prefix: hosts[i]?.prefix ?? ['env'], env: name === 'cleo' ? clock.env : {} }),
      ),
    );
    const [anna, ben, cleo] = machines as [MeshMachine, MeshMachine, MeshMachine];
    await anna.succeed(['mesh', 'create', 'lab']);
    const { invite } = (await anna.succeed(['mesh', 'invite', '--json'])).json<{ invite: string }>();
    await anna.startWorker();
    await ben.succeed(['mesh', 'join', invite, '--timeout', '1s']);
    await ben.startWorker();
    await addModel(lab, cleo, 'mouse');
    const joining = await cleo.run(['mesh', 'join', invite, '--json']);
    expect(`${joining.stdout}${joining.stderr}`.match(/60 minutes ahead/g)).toHaveLength(1);
    const refused = errorOf(joining);
    expect(refused.code).toBe('refused');
    expect(refused.message).toMatch(/This machine's clock is about 60 minutes ahead of .*Set the clock that is wrong/);

    await clock.set(0);
    await cleo.succeed(['mesh', 'join', invite, '--json']);
    await cleo.startWorker();
    for (const machine of machines)
      await until(machine.peers, (found) => arePresent(found, NAMES) && hasNoProblem(found));
    await until(anna.models, (found) => isHeldBy(found, 'mouse', ['cleo']));

    for (const days of [1, -1]) {
      const [how, words] = days > 0 ? ['ahead of', /ahead of/] : ['behind', /behind/];
      await clock.set(days * 24 * HOUR_MS);
      await until(cleo.peers, says('cleo', new RegExp(`This machine's clock is about 24 hours ${how}`)));
      for (const machine of [anna, ben]) await until(machine.peers, says('cleo', words));
      await clock.set(0);
      for (const machine of machines)
        await until(machine.peers, (found) => arePresent(found, NAMES) && hasNoProblem(found));
    }
    await addModel(lab, cleo, 'rat');
    for (const machine of [anna, ben]) await until(machine.models, (found) => isHeldBy(found, 'rat', ['cleo']));
  });
});
