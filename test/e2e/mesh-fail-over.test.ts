import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { carrying, kindsOf } from '../support/carrying.ts';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import type { Host } from '../support/local-network.ts';
import { isHeldBy, joinAll, type MeshMachine, meshMachinesOn, until } from '../support/mesh-scene.ts';
import { sentBytes } from '../support/mesh-swarm.ts';
import { IGNORED, importModel, type TransferJson } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';
import type { Traffic } from '../support/traffic-filter.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';
import { DIRECT_PORT } from '../support/wan-scene.ts';

const lab = useLab();
const BYTES = 30_000_000;
/** Above what was on its way when the connection was cut, and what networks add. */
const MOST_SENT_BYTES = 1.3 * BYTES;

/** A node with a model, one that wants it, and a signaling server, all on one local network. */
async function openScene() {
  const { hosts, machines } = await meshMachinesOn(lab, [[0], [0], [0]], ['seed', 'cleo', 'server']);
  const [seed, cleo, server] = machines as [MeshMachine, MeshMachine, MeshMachine];
  const [seedHost, cleoHost, serverHost] = hosts as [Host, Host, Host];
  const signaling = server.start(['signaling', '--host', '0.0.0.0', '--port', '8787', '--json']);
  await signaling.waitForStdout(/^\{.*\}$/m);
  const folder = join(await lab.folder(), 'mouse');
  await makeRandomFile(join(folder, 'weights.msgpack'), BYTES);
  await importModel(seed, folder, 'mouse');
  await joinAll([seed, cleo], { create: ['--signaling', `ws://${serverHost.addresses[0]}:8787`] });
  await seed.startWorker('--direct-port', String(DIRECT_PORT));
  await cleo.startWorker();
  await until(cleo.models, (found) => isHeldBy(found, 'mouse', ['seed']));
  return { cleo, folder, seedHost, cleoHost };
}

describeWith(WAN_REQUIREMENTS, 'a pull from a mesh whose direct way is cut in the middle', () => {
  it.each<[how: string, cut: (seed: Host) => Traffic, other: 'webrtc' | 'relay']>([
    ['over webrtc where a firewall closes the port', () => ({ tcpPort: DIRECT_PORT }), 'webrtc'],
    ['over the relay where nothing goes between the two', ({ addresses }) => ({ addresses }), 'relay'],
  ])('goes on %s, and fetches nothing again', async (_, cut, other) => {
    const { cleo, folder, seedHost, cleoHost } = await openScene();
    const sentBefore = await sentBytes(seedHost);
    const pull = cleo.start(['client', 'pull-model', 'mesh:mouse', '--consent', '--limit', '2MB', '--json']);
    await pull.waitForStdout(carrying('direct'));
    await cleoHost.filter.cut(cut(seedHost));
    const { exitCode, stderr, ...ended } = await pull.exited;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const pulled = ended.json<TransferJson>();
    expect(await treeDigest(pulled.entry.localPath, IGNORED)).toEqual(await treeDigest(folder));
    expect(pulled.transferredBytes).toBe(BYTES);
    expect(kindsOf(pulled)).toEqual(expect.arrayContaining(['direct', other]));
    expect((await sentBytes(seedHost)) - sentBefore).toBeLessThan(MOST_SENT_BYTES);
  });
});
