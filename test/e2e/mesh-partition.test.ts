import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import type { Host } from '../support/local-network.ts';
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
import { IGNORED, importModel, pull } from '../support/scene.ts';
import { shiftedClock } from '../support/shifted-clock.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

const lab = useLab();
const NAMES = ['anna', 'ben', 'cleo', 'dora'] as const;
/** Longer than a node counts as present. */
const LONG_AFTER_MS = 8 * 60_000;

/** From now on no packet goes between the first half of the hosts and the second, and nobody is told. */
async function cutInTwo(hosts: readonly Host[]): Promise<void> {
  const halves = [hosts.slice(0, hosts.length / 2), hosts.slice(hosts.length / 2)] as const;
  for (const [own, others] of [halves, [...halves].reverse()] as const) {
    const addresses = (others ?? []).flatMap((host) => host.addresses);
    for (const { filter } of own ?? []) await filter.cut({ addresses });
  }
}

const find = (peers: readonly MeshPeerJson[], name: string) => peers.find((peer) => peer.name === name);
const isUnreached = (peers: readonly MeshPeerJson[], name: string) => find(peers, name)?.reachedBy === undefined;

describeWith(WAN_REQUIREMENTS, 'a network that falls apart into two halves', () => {
  it('goes on in both, and is one mesh again when it is mended, with the newer state of each', async () => {
    const clock = await shiftedClock(lab);
    const { hosts, machines } = await meshMachinesOn(lab, [[0], [0], [0], [0]], NAMES, clock.env);
    const [anna, ben, cleo, dora] = machines as [MeshMachine, MeshMachine, MeshMachine, MeshMachine];
    const folder = join(await lab.folder(), 'mouse');
    await makeRandomFile(join(folder, 'weights.msgpack'), 16_000_000);
    await joinAll([anna, ben, cleo, dora]);
    for (const machine of [anna, cleo]) {
      await importModel(machine, folder, 'mouse');
      await machine.succeed(['settings', 'set', 'limit.up', '2MB']);
    }
    await addModel(lab, cleo, 'shrew');
    await Promise.all(machines.map((machine) => machine.startWorker()));
    for (const machine of machines) await until(machine.peers, (found) => arePresent(found, NAMES));
    await until(ben.models, (found) => isHeldBy(found, 'shrew', ['cleo']));

    await cutInTwo(hosts);
    await until(anna.peers, (found) => isUnreached(found, 'cleo') && isUnreached(found, 'dora'));
    await until(cleo.peers, (found) => isUnreached(found, 'anna') && isUnreached(found, 'ben'));
    await addModel(lab, anna, 'rat');
    await anna.succeed(['mesh', 'remove', 'dora']);
    await addModel(lab, cleo, 'vole');
    await addModel(lab, dora, 'newt');
    await cleo.succeed(['client', 'delete-model', 'shrew', '--yes']);
    await until(ben.models, (found) => isHeldBy(found, 'rat', ['anna']) && isHeldBy(found, 'shrew', ['cleo']));
    await until(ben.peers, (found) => find(found, 'dora') === undefined);
    await until(cleo.models, (found) => isHeldBy(found, 'newt', ['dora']) && isHeldBy(found, 'shrew', []));
    expect(isHeldBy(await cleo.models(), 'rat', [])).toBe(true);
    await clock.set(LONG_AFTER_MS);
    await until(ben.peers, (found) => arePresent(found, ['anna', 'ben']));
    await until(cleo.peers, (found) => arePresent(found, ['cleo', 'dora']));
    expect(isHeldBy(await ben.models(), 'mouse', ['anna'])).toBe(true);

    for (const { filter } of hosts) await filter.heal();
    for (const machine of [anna, ben, cleo])
      await until(machine.peers, (found) => arePresent(found, ['anna', 'ben', 'cleo']));
    for (const machine of [anna, ben]) {
      await until(machine.models, (found) => isHeldBy(found, 'vole', ['cleo']));
      expect([isHeldBy(await machine.models(), 'shrew', []), isHeldBy(await machine.models(), 'newt', [])]).toEqual([
        true,
        true,
      ]);
    }
    await until(cleo.models, (found) => isHeldBy(found, 'rat', ['anna']) && isHeldBy(found, 'newt', []));
    await until(dora.peers, (found) => /no member/.test(find(found, 'dora')?.problem ?? ''));
    const { entry, workers } = await pull(ben, 'mesh:mouse', '--consent');
    expect(await treeDigest(entry.localPath, IGNORED)).toEqual(await treeDigest(folder));
    expect(
      workers
        .filter(({ bytes }) => bytes > 0)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['anna', 'cleo']);
  });
});
