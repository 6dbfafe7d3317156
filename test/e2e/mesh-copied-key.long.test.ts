import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import {
  addModel,
  arePresent,
  isHeldBy,
  joinAll,
  type MeshMachine,
  type MeshPeerJson,
  meshMachinesOn,
  until,
} from '../support/mesh-scene.ts';
import { shiftedClock } from '../support/shifted-clock.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

const lab = useLab();
/** Longer than two clocks may differ: what an earlier head says after that can only come from a second machine. */
const NOTICED_AFTER_MS = 4 * 60_000;
/** Longer than the mark of such a key lasts after the last sign of a second machine. */
const FORGIVEN_AFTER_MS = 10 * 60_000;
/**
 * Others have one connection with this key, so the two take turns at it; and one whose head was replaced a moment after it was signed
 * signs a new one more than two minutes later.
 */
const NOTICED_WITHIN_MS = 6 * 60_000;
const TWO_MACHINES = /Two machines announce with this key/;

const isMarked = (key: string) => (peers: readonly MeshPeerJson[]) =>
  TWO_MACHINES.test(peers.find((peer) => peer.key === key)?.problem ?? '');

describeWith(WAN_REQUIREMENTS, 'a machine whose data folder was copied to another', () => {
  it('is named by both and by all others, harms nobody else, and is well again once one of them has joined anew', async () => {
    const clock = await shiftedClock(lab);
    const env = { ...clock.env, MODEL_RTC_GOSSIP_INTERVAL: '5' };
    const names = ['anna', 'ben', 'cleo', 'twin'];
    const { machines } = await meshMachinesOn(lab, [[0], [0], [0], [0]], names, env);
    const [anna, ben, cleo, twin] = machines as [MeshMachine, MeshMachine, MeshMachine, MeshMachine];
    const invite = await joinAll([anna, ben, cleo]);
    await addModel(lab, ben, 'rat');
    await cp(ben.home, twin.home, { recursive: true });
    await Promise.all([anna, ben, cleo].map((machine) => machine.startWorker()));
    await until(anna.models, (found) => isHeldBy(found, 'rat', ['ben']));
    const key = (await ben.peers()).find(({ isSelf }) => isSelf)?.key ?? '';
    const twinWorker = await twin.startWorker();
    await until(ben.peers, isMarked(key), NOTICED_WITHIN_MS);
    await clock.set(NOTICED_AFTER_MS);
    for (const machine of machines) await until(machine.peers, isMarked(key), NOTICED_WITHIN_MS);
    for (const alias of ['mouse', 'shrew', 'vole']) {
      await addModel(lab, anna, alias);
      await until(cleo.models, (found) => isHeldBy(found, alias, ['anna']));
      for (const machine of machines) expect(isMarked(key)(await machine.peers())).toBe(true);
      for (const machine of [anna, cleo]) expect(isHeldBy(await machine.models(), 'rat', [])).toBe(true);
    }

    // As the problem says.
    await twinWorker.kill();
    await rm(join(twin.home, 'keys', 'identity.key'));
    await twin.succeed(['mesh', 'join', invite, '--node-name', 'twin', '--timeout', '1s']);
    await twin.startWorker();
    for (const machine of [anna, cleo]) await until(machine.models, (found) => isHeldBy(found, 'rat', ['twin']));
    await clock.set(NOTICED_AFTER_MS + FORGIVEN_AFTER_MS);
    for (const machine of [anna, cleo]) await until(machine.models, (found) => isHeldBy(found, 'rat', ['ben', 'twin']));
    const areWell = (found: readonly MeshPeerJson[]): boolean =>
      arePresent(found, names) && found.every(({ problem }) => problem === undefined);
    // A worker looks once a minute whether a mark is over.
    for (const machine of machines) await until(machine.peers, areWell, 150_000);
  }, 1_200_000);
});
