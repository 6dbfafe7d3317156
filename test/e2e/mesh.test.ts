import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { makeRandomFile } from '../support/files.ts';
import { arePresent, isHeldBy, joinAll, type MeshMachine, meshMachinesOn, until } from '../support/mesh-scene.ts';
import { errorOf, importModel } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

const lab = useLab();

async function addModel(machine: MeshMachine, alias: string): Promise<void> {
  const folder = join(await lab.folder(), alias);
  await makeRandomFile(join(folder, 'weights.msgpack'), 300_000);
  await importModel(machine, folder, alias);
}

const machinesOn = (networks: readonly (readonly number[])[], names: readonly string[]) =>
  meshMachinesOn(lab, networks, names);

describeWith(WAN_REQUIREMENTS, 'a mesh on a local network without any server', () => {
  it('finds its nodes, and each knows what all have', async () => {
    const { machines } = await machinesOn([[0], [0], [0]], ['anna', 'ben', 'cleo']);
    const [anna, ben, cleo] = machines as [MeshMachine, MeshMachine, MeshMachine];
    await addModel(anna, 'mouse');
    await joinAll([anna, ben, cleo]);
    await Promise.all(machines.map((machine) => machine.startWorker()));
    for (const machine of machines) {
      const nodes = await until(machine.peers, (found) => arePresent(found, ['anna', 'ben', 'cleo']));
      expect(nodes.find(({ isSelf }) => isSelf)?.name).toBe(machine.name);
      await until(machine.models, (found) => isHeldBy(found, 'mouse', ['anna']));
    }
    await addModel(ben, 'rat');
    await until(cleo.models, (found) => isHeldBy(found, 'rat', ['ben']));
  });

  it('shows a machine without a worker what the others have', async () => {
    const { machines } = await machinesOn([[0], [0]], ['anna', 'laptop']);
    const [anna, laptop] = machines as [MeshMachine, MeshMachine];
    await addModel(anna, 'mouse');
    await joinAll([anna, laptop]);
    await anna.startWorker();
    await until(laptop.models, (found) => isHeldBy(found, 'mouse', ['anna']));
  });

  it('goes on after a worker was killed and started again, and after a cable was out', async () => {
    const { hosts, machines } = await machinesOn([[0], [0]], ['anna', 'ben']);
    const [anna, ben] = machines as [MeshMachine, MeshMachine];
    await joinAll([anna, ben]);
    const worker = await anna.startWorker();
    await ben.startWorker();
    await until(ben.peers, (found) => arePresent(found, ['anna', 'ben']));
    await worker.kill('SIGKILL');
    await addModel(anna, 'mouse');
    await anna.startWorker();
    await until(ben.models, (found) => isHeldBy(found, 'mouse', ['anna']));
    await hosts[0]?.filter.cut('everything');
    await addModel(anna, 'rat');
    await addModel(ben, 'vole');
    await hosts[0]?.filter.heal();
    await until(ben.models, (found) => isHeldBy(found, 'rat', ['anna']));
    await until(anna.models, (found) => isHeldBy(found, 'vole', ['ben']));
  });

  it('refuses a member that was removed', async () => {
    const { machines } = await machinesOn([[0], [0], [0]], ['anna', 'ben', 'cleo']);
    const [anna, ben, cleo] = machines as [MeshMachine, MeshMachine, MeshMachine];
    await joinAll([anna, ben, cleo]);
    await Promise.all(machines.map((machine) => machine.startWorker()));
    await until(ben.peers, (found) => arePresent(found, ['anna', 'ben', 'cleo']));
    const refused = await ben.run(['mesh', 'remove', 'cleo', '--json']);
    expect(errorOf(refused).code).toBe('refused');
    await anna.succeed(['mesh', 'remove', 'cleo']);
    await until(ben.peers, (found) => !found.some(({ name }) => name === 'cleo'));
    await addModel(ben, 'rat');
    await until(anna.models, (found) => isHeldBy(found, 'rat', ['ben']));
    expect(isHeldBy(await cleo.models(), 'rat', [])).toBe(true);
  });
});

describeWith(WAN_REQUIREMENTS, 'a mesh over two networks', () => {
  it('is one through a signaling server that both reach', async () => {
    const { hosts, machines } = await machinesOn([[0], [0], [1], [0, 1]], ['anna', 'ben', 'cleo']);
    const [anna, ben, cleo] = machines as [MeshMachine, MeshMachine, MeshMachine];
    const signaling = await lab.machine('signaling', { prefix: hosts[3]?.prefix ?? [] });
    const server = signaling.start(['signaling', '--host', '0.0.0.0', '--port', '8787', '--json']);
    await server.waitForStdout(/^\{.*\}$/m);
    const urls = hosts[3]?.addresses.flatMap((address) => ['--signaling', `ws://${address}:8787`]) ?? [];
    await addModel(anna, 'mouse');
    await joinAll([anna, ben, cleo], { create: urls });
    await Promise.all(machines.map((machine) => machine.startWorker()));
    for (const machine of machines) await until(machine.peers, (found) => arePresent(found, ['anna', 'ben', 'cleo']));
    await until(cleo.models, (found) => isHeldBy(found, 'mouse', ['anna']));
  });
});
