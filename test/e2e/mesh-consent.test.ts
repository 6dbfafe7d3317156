import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { makeRandomFile } from '../support/files.ts';
import { openLocalNetworks } from '../support/local-network.ts';
import { isHeldBy, joinAll, type MeshMachine, meshMachine, until } from '../support/mesh-scene.ts';
import { errorOf, importModel } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

const lab = useLab();

interface Audit {
  readonly decisions: readonly { readonly event: string; readonly what: string; readonly by?: string }[];
}

async function audit(machine: MeshMachine): Promise<string[]> {
  const { decisions } = (await machine.succeed(['mesh', 'audit', '--json'])).json<Audit>();
  return decisions.map(({ event, by }) => `${event} ${by}`);
}

/** Anna has a model, and Ben too where he shares it; Cleo has none, and no worker. */
async function openScene() {
  const hosts = await openLocalNetworks(lab, [[0], [0], [0]]);
  const names = ['anna', 'ben', 'cleo'];
  const machines = await Promise.all(
    names.map((name, i) => meshMachine(lab, name, hosts[i] as (typeof hosts)[number])),
  );
  const [anna, ben, cleo] = machines as [MeshMachine, MeshMachine, MeshMachine];
  const folder = join(await lab.folder(), 'mouse');
  await makeRandomFile(join(folder, 'weights.msgpack'), 300_000);
  await importModel(anna, folder, 'mouse');
  await joinAll([anna, ben, cleo]);
  await anna.startWorker();
  await until(cleo.models, (found) => isHeldBy(found, 'mouse', ['anna']));
  return { anna, ben, cleo, folder };
}

const PULL = ['client', 'pull-model', 'mesh:mouse', '--json'];

describeWith(WAN_REQUIREMENTS, 'the first download from a node of a mesh', () => {
  it('is refused in a script until it is agreed to, once for each node', async () => {
    const { anna, ben, cleo, folder } = await openScene();
    const refused = errorOf(await cleo.run(PULL));
    expect(refused).toMatchObject({ code: 'refused', message: expect.stringContaining('model-rtc mesh consent anna') });
    expect((await cleo.run(['client', 'model-info', 'mouse', '--json'])).exitCode).not.toBe(0);
    await cleo.succeed(['mesh', 'consent', 'anna']);
    await cleo.succeed(PULL);
    await cleo.succeed(['client', 'delete-model', 'mouse', '--yes']);
    // Ben has it as well now: he is new, and nothing comes from him, while the consent to Anna counts on.
    await importModel(ben, folder, 'mouse');
    await ben.startWorker();
    await until(cleo.models, (found) => isHeldBy(found, 'mouse', ['anna', 'ben']));
    const pulled = await cleo.succeed(PULL);
    expect(pulled.json<{ workers: { name: string }[] }>().workers.map(({ name }) => name)).toEqual(['anna']);
    expect(pulled.stderr).toContain('model-rtc mesh consent ben');
    expect(await audit(cleo)).toEqual([
      ...['download pull-model', 'download pull-model', 'consent mesh consent', 'refusal mesh.consent'],
    ]);
    // The worker's owner sees who fetched from it.
    expect((await audit(anna)).filter((line) => line.startsWith('download'))).toHaveLength(1);
  });

  it('is refused again after the consent was taken back, and needs none where every member has it', async () => {
    const { cleo } = await openScene();
    const hasConsent = async () => (await cleo.peers()).find(({ name }) => name === 'anna')?.hasConsent;
    await cleo.succeed(['mesh', 'consent', 'anna']);
    expect(await hasConsent()).toBe(true);
    await cleo.succeed(['mesh', 'consent', 'anna', '--withdraw']);
    expect(await hasConsent()).toBe(false);
    expect(errorOf(await cleo.run(PULL)).code).toBe('refused');
    await cleo.succeed(['settings', 'set', 'mesh.consent', 'members']);
    await cleo.succeed(PULL);
    expect(await audit(cleo)).toEqual([
      ...['download pull-model', 'refusal mesh.consent', 'consent mesh consent', 'consent mesh consent'],
    ]);
  });
});
