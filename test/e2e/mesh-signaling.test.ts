import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { makeRandomFile } from '../support/files.ts';
import { type Host, openLocalNetworks } from '../support/local-network.ts';
import { arePresent, isHeldBy, joinAll, type MeshMachine, meshMachine, until } from '../support/mesh-scene.ts';
import { importModel } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

const lab = useLab();

async function addModel(machine: MeshMachine, alias: string): Promise<void> {
  const folder = join(await lab.folder(), alias);
  await makeRandomFile(join(folder, 'weights.msgpack'), 300_000);
  await importModel(machine, folder, alias);
}

/** Machines that each are on a network of their own, and a signaling server that is on all of them. @returns its addresses too */
async function machinesApart(names: readonly string[], signalingFlags: readonly string[]) {
  const networks = names.map((_, i) => i);
  const hosts = await openLocalNetworks(lab, [...networks.map((network) => [network]), networks]);
  const machines = await Promise.all(names.map((name, i) => meshMachine(lab, name, hosts[i] as Host)));
  const { prefix, addresses } = hosts.at(-1) as Host;
  const server = (await lab.machine('signaling', { prefix })).start([
    ...['signaling', '--host', '0.0.0.0', '--port', '8787', '--json'],
    ...signalingFlags,
  ]);
  await server.waitForStdout(/^\{.*\}$/m);
  return { machines, server, urls: addresses.map((address) => `ws://${address}:8787`) };
}

const reachOf = async (machine: MeshMachine, name: string) =>
  (await machine.peers()).find((peer) => peer.name === name)?.reachedBy;

describeWith(WAN_REQUIREMENTS, 'members that meet at a signaling server and can open no connection', () => {
  it('know what the others have, both ways, and say that they hear them over the server', async () => {
    const { machines, urls } = await machinesApart(['anna', 'ben', 'laptop'], ['--relay', 'off']);
    const [anna, ben, laptop] = machines as [MeshMachine, MeshMachine, MeshMachine];
    await addModel(anna, 'mouse');
    await joinAll([anna, ben, laptop], { create: urls.flatMap((url) => ['--signaling', url]) });
    await Promise.all([anna, ben].map((machine) => machine.startWorker()));
    await until(ben.models, (found) => isHeldBy(found, 'mouse', ['anna']));
    await addModel(ben, 'rat');
    await until(anna.models, (found) => isHeldBy(found, 'rat', ['ben']));
    for (const machine of [anna, ben]) await until(machine.peers, (found) => arePresent(found, ['anna', 'ben']));
    expect([await reachOf(ben, 'anna'), await reachOf(anna, 'ben')]).toEqual(['signaling', 'signaling']);
    await until(laptop.models, (found) => isHeldBy(found, 'mouse', ['anna']) && isHeldBy(found, 'rat', ['ben']));
  });

  it('refuse one that was removed', async () => {
    const { machines, urls } = await machinesApart(['anna', 'ben', 'cleo'], ['--relay', 'off']);
    const [anna, ben, cleo] = machines as [MeshMachine, MeshMachine, MeshMachine];
    await joinAll([anna, ben, cleo], { create: urls.flatMap((url) => ['--signaling', url]) });
    await Promise.all([anna, ben].map((machine) => machine.startWorker()));
    await until(cleo.peers, (found) => found.some(({ name }) => name === 'ben'));
    await anna.succeed(['mesh', 'remove', 'cleo']);
    await until(ben.peers, (found) => !found.some(({ name }) => name === 'cleo'));
    await addModel(ben, 'rat');
    await until(anna.models, (found) => isHeldBy(found, 'rat', ['ben']));
    expect(isHeldBy(await cleo.models(), 'rat', [])).toBe(true);
  });
});

describeWith(WAN_REQUIREMENTS, 'members in different networks', () => {
  it('are found at the signaling server by newcomers whose invite names nobody that is there', async () => {
    const { machines, urls } = await machinesApart(['anna', 'ben', 'cleo', 'laptop'], ['--relay', 'off']);
    const [anna, ben, cleo, laptop] = machines as [MeshMachine, MeshMachine, MeshMachine, MeshMachine];
    // It names anna alone, whose worker never runs.
    const invite = await joinAll([anna, ben, cleo], { create: urls.flatMap((url) => ['--signaling', url]) });
    await addModel(ben, 'rat');
    await Promise.all([ben, cleo].map((machine) => machine.startWorker()));
    await until(cleo.models, (found) => isHeldBy(found, 'rat', ['ben']));
    const joined = await laptop.succeed(['mesh', 'join', invite, '--timeout', '60s', '--json']);
    expect(['ben', 'cleo']).toContain(joined.json<{ reached: string }>().reached);
    await until(laptop.peers, (found) => arePresent(found, ['ben', 'cleo']));
    await until(laptop.models, (found) => isHeldBy(found, 'rat', ['ben']));
  });

  it('hear over the signaling server at once that a worker was stopped', async () => {
    const { machines, urls } = await machinesApart(['anna', 'ben', 'cleo'], ['--relay', 'off']);
    const [anna, ben, cleo] = machines as [MeshMachine, MeshMachine, MeshMachine];
    await joinAll([anna, ben, cleo], { create: urls.flatMap((url) => ['--signaling', url]) });
    const [worker] = await Promise.all(machines.map((machine) => machine.startWorker()));
    for (const machine of [ben, cleo])
      await until(machine.peers, (found) => arePresent(found, ['anna', 'ben', 'cleo']));
    await until(
      () => reachOf(anna, 'ben'),
      (reach) => reach === 'signaling',
    );
    await worker?.kill('SIGTERM');
    // A crash would be noticed after minutes: longer than this waits.
    for (const machine of [ben, cleo]) await until(machine.peers, (found) => arePresent(found, ['ben', 'cleo']));
  });
});

describeWith(WAN_REQUIREMENTS, 'a worker that runs already', () => {
  it("begins to wait at a mesh's signaling servers when its machine joins, and ends when it leaves", async () => {
    const { machines, urls } = await machinesApart(['anna', 'ben'], []);
    const [anna, ben] = machines as [MeshMachine, MeshMachine];
    await ben.startWorker();
    const waitsAt = async () => {
      const status = await ben.succeed(['worker', 'status', '--json']);
      const { signaling } = status.json<{ signaling: { url: string; state: string }[] }>();
      return signaling.filter(({ state }) => state === 'online').map(({ url }) => url);
    };
    const isThere = (at: readonly string[]) => at.some((url) => urls.includes(url));
    await until(waitsAt, (at) => at.length === 1 && !isThere(at));
    await joinAll([anna, ben], { create: urls.flatMap((url) => ['--signaling', url]) });
    await until(waitsAt, isThere);
    await anna.startWorker();
    await until(anna.peers, (found) => arePresent(found, ['anna', 'ben']));
    const left = await ben.succeed(['mesh', 'leave', '--json']);
    expect({ told: left.json<{ told: string[] }>().told, stderr: left.stderr }).toEqual({ told: ['anna'], stderr: '' });
    await until(waitsAt, (at) => at.length === 1 && !isThere(at));
  });
});

describeWith(WAN_REQUIREMENTS, 'workers that were started with --signaling', () => {
  it('are found on the local network too, where that server is not there', async () => {
    const hosts = await openLocalNetworks(lab, [[0], [0]]);
    const machines = await Promise.all(['anna', 'ben'].map((name, i) => meshMachine(lab, name, hosts[i] as Host)));
    const [anna, ben] = machines as [MeshMachine, MeshMachine];
    await addModel(anna, 'mouse');
    await joinAll([anna, ben]);
    for (const machine of machines)
      machine.start(['worker', '--name', machine.name, '--signaling', 'ws://10.88.0.99:8787']);
    await until(ben.models, (found) => isHeldBy(found, 'mouse', ['anna']));
    await until(anna.peers, (found) => arePresent(found, ['anna', 'ben']));
  });
});

describeWith(WAN_REQUIREMENTS, 'a machine that joins while the one that invited it is gone', () => {
  it('comes in through a member that it finds on its network', async () => {
    const hosts = await openLocalNetworks(lab, [[0], [0], [0]]);
    const names = ['anna', 'ben', 'cleo'];
    const machines = await Promise.all(names.map((name, i) => meshMachine(lab, name, hosts[i] as Host)));
    const [anna, ben, cleo] = machines as [MeshMachine, MeshMachine, MeshMachine];
    await anna.succeed(['mesh', 'create', 'lab']);
    // It names anna alone.
    const made = await anna.succeed(['mesh', 'invite', '--json']);
    const { invite } = made.json<{ invite: string }>();
    const worker = await anna.startWorker();
    await ben.succeed(['mesh', 'join', invite]);
    await ben.startWorker();
    await until(ben.peers, (found) => arePresent(found, ['anna', 'ben']));
    await worker.kill('SIGKILL');
    await addModel(ben, 'rat');
    const joined = await cleo.succeed(['mesh', 'join', invite, '--timeout', '30s', '--json']);
    expect(joined.json<{ reached: string }>().reached).toBe('ben');
    await until(cleo.models, (found) => isHeldBy(found, 'rat', ['ben']));
  });
});
