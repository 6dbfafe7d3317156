import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../test/support/registry-folder.ts';
import { startChild } from '../../../test/support/script-child.ts';
import { LARGER, type RegistryScene, registryScene, TINY } from './support/registry-scene.ts';

const HOST = new URL('./children/host.ts', import.meta.url);
const REF = 'fast-whisper/tiny@fp16';

/** A machine with fp16, for which the registry has other content now. */
async function machine() {
  const scene = await registryScene();
  const home = join(await temporaryFolder(), 'home');
  const manager = await scene.manager(home);
  await scene.alias('latest', 'fp16');
  const { model } = await manager.pull('fast-whisper/tiny@latest');
  await scene.publish(['fast-whisper', 'tiny', 'fp16'], LARGER);
  await scene.alias('latest', 'fp16');
  const start = (...args: string[]) => startChild(HOST, ['yargs', scene.server.url, home, 'models', ...args]);
  const content = async () => await readFile(join(model.path, 'model.bin')).catch(() => undefined);
  return { scene, home, manager, model, start, content };
}

/** Holds all answers of content after some; `waiting` resolves when one is held. */
function holdAfter({ server }: RegistryScene, answers: number) {
  let seen = 0;
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const waiting = new Promise<void>((resolve) => {
    server.misbehave = async ({ range }) => {
      if (range === undefined || ++seen <= answers) return false;
      resolve();
      await released;
      return false;
    };
  });
  return { waiting, release };
}

describe('replacing the content of a version', () => {
  it.each([
    ['pull --force', ['pull', 'fast-whisper/tiny', 'fp16', '--force']],
    ['update --apply', ['update', 'fast-whisper/tiny', '--apply']],
  ])('by %s leaves the old one usable until the new one is whole, through kill -9', async (_, args) => {
    const { scene, manager, model, start, content } = await machine();
    const held = holdAfter(scene, 0);
    const child = start(...args);
    await held.waiting;
    expect((await content())?.equals(TINY['model.bin'] as Buffer)).toBe(true);
    child.process.kill('SIGKILL');
    await child.ended;
    held.release();
    expect((await content())?.equals(TINY['model.bin'] as Buffer)).toBe(true);
    expect(await manager.getInstalled(REF)).toMatchObject({ path: model.path, isWhole: true, digest: model.digest });
    expect(await manager.path('fast-whisper/tiny@latest')).toBe(model.path);
    scene.server.misbehave = () => false;
    expect(await start(...args).ended).toMatchObject({ code: 0 });
    expect((await content())?.equals(LARGER['model.bin'] as Buffer)).toBe(true);
    expect(await manager.path(REF)).toBe(model.path);
    await manager.prune();
    expect(await manager.path('fast-whisper/tiny@latest')).toBe(model.path);
  });

  it('is whole, the old one or the new one, whenever the process is killed', async () => {
    const { scene, manager, model, start } = await machine();
    const [old, fresh] = [TINY['model.bin'] as Buffer, LARGER['model.bin'] as Buffer];
    for (let round = 0; round < 8; round++) {
      const wanted = round % 2 === 0 ? LARGER : TINY;
      await scene.publish(['fast-whisper', 'tiny', 'fp16'], wanted);
      const child = start('pull', 'fast-whisper/tiny', 'fp16', '--force');
      await child.saw('Fetching manifest... done');
      await new Promise((resolve) => setTimeout(resolve, round * 25));
      child.process.kill('SIGKILL');
      await child.ended;
      const here = await manager.getInstalled(REF);
      expect(here).toMatchObject({ path: model.path, isWhole: true });
      const bytes = await readFile(join(model.path, 'model.bin'));
      expect(bytes.equals(old) || bytes.equals(fresh)).toBe(true);
      expect(bytes.equals(here?.digest === model.digest ? old : fresh)).toBe(true);
      await manager.pull(REF, { force: true });
    }
  });
});
