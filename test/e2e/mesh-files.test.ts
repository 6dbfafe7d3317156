import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { makeRandomFile } from '../support/files.ts';
import { arePresent, isHeldBy, joinAll, meshMachine, until } from '../support/mesh-scene.ts';
import { importModel } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab();

it('a worker whose cache of the mesh is removed asks for it again, and every command and the bridge see it', async () => {
  const [anna, ben] = [await meshMachine(lab, 'anna'), await meshMachine(lab, 'ben')];
  await anna.startWorker();
  // The invite names its address: nothing is found by multicast here.
  await joinAll([anna, ben]);
  const folder = join(await lab.folder(), 'mouse');
  await makeRandomFile(join(folder, 'weights.msgpack'), 300_000);
  await importModel(anna, folder, 'mouse');
  const worker = await ben.startWorker('--http-port', '0');
  const { httpUrl } = JSON.parse((await worker.waitForStdout(/^\{.*\}$/m))[0]) as { httpUrl: string };
  await until(ben.models, (found) => isHeldBy(found, 'mouse', ['anna']));
  await rm(join(ben.home, 'mesh', 'cache'), { recursive: true });
  await until(ben.peers, (found) => arePresent(found, ['anna', 'ben']));
  await until(ben.models, (found) => isHeldBy(found, 'mouse', ['anna']));
  const listed = async (): Promise<string[]> => {
    const { data } = (await (await fetch(`${httpUrl}/v1/models`)).json()) as { data: readonly { id: string }[] };
    return data.map(({ id }) => id);
  };
  expect(await until(listed, (ids) => ids.length > 0)).toEqual(['mouse']);
  // What the bridge says to do counts at once.
  const ask = async (): Promise<number> => (await fetch(`${httpUrl}/v1/models/download/mouse`)).status;
  expect(await ask()).toBe(403);
  await ben.succeed(['settings', 'set', 'mesh.consent', 'members']);
  expect(await until(ask, (status) => status !== 403)).toBe(200);
});
