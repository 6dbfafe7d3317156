import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { execa } from 'execa';
import { makeRandomFile } from '../support/files.ts';
import type { Host } from '../support/local-network.ts';
import {
  arePresent,
  isHeldBy,
  joinAll,
  type MeshMachine,
  type MeshPeerJson,
  meshMachinesOn,
  until,
} from '../support/mesh-scene.ts';
import { importModel } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

const lab = useLab();
/** On the emulated network, and nobody's. */
const NEW_ADDRESS = '10.88.0.77';

async function addModel(machine: MeshMachine, alias: string): Promise<void> {
  const folder = join(await lab.folder(), alias);
  await makeRandomFile(join(folder, 'weights.msgpack'), 300_000);
  await importModel(machine, folder, alias);
}

describeWith(WAN_REQUIREMENTS, 'a mesh on a local network without any server', () => {
  it('has a machine back that slept and woke up with another address', async () => {
    const { hosts, machines } = await meshMachinesOn(lab, [[0], [0]], ['anna', 'ben']);
    const [anna, ben] = machines as [MeshMachine, MeshMachine];
    await joinAll([anna, ben]);
    await anna.startWorker();
    const { pid } = await ben.startWorker();
    await until(anna.peers, (found) => arePresent(found, ['anna', 'ben']));
    process.kill(pid, 'SIGSTOP');
    await addModel(anna, 'mouse');
    const { prefix, addresses } = hosts[1] as Host;
    const [file, ...before] = prefix;
    const inIt = async (...args: string[]) => await execa(file, [...before, 'ip', ...args]);
    await inIt('address', 'delete', `${addresses[0]}/24`, 'dev', 'lan0');
    await inIt('address', 'add', `${NEW_ADDRESS}/24`, 'dev', 'lan0');
    process.kill(pid, 'SIGCONT');
    await addModel(ben, 'rat');
    await until(ben.models, (found) => isHeldBy(found, 'mouse', ['anna']));
    await until(anna.models, (found) => isHeldBy(found, 'rat', ['ben']));
    const isMoved = ({ name, urls }: MeshPeerJson): boolean =>
      name === 'ben' && urls.some((url) => url.includes(NEW_ADDRESS));
    const known = await until(anna.peers, (found) => found.some(isMoved));
    expect(known.filter(isMoved)).toHaveLength(1);
  });
});
