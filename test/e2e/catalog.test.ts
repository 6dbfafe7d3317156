import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Machine } from '../support/machine.ts';
import { errorOf, FIXTURES, importModel, startSignaling, startWorker } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab('after all');
const ID = 'Qwen/Qwen2.5-0.5B';
const HOSTILE = '--help\u001b]0;owned\u0007"; rm -rf / #\u202e\u009b31m';
const PLAN = [ID, '--name', 'Qwen 0.5B', '--repo', ID, '--architecture', 'qwen2'] as const;

interface CatalogJson {
  readonly pool_id: string;
  readonly models: readonly {
    readonly id: string;
    readonly name: string;
    readonly path: string | null;
    readonly downloaded: boolean;
    readonly backends: readonly string[];
  }[];
}

async function catalogOf(machine: Machine, ...args: string[]): Promise<CatalogJson> {
  return (await machine.succeed(['catalog', '--json', ...args])).json<CatalogJson>();
}

/** A machine with a stand-in for the program of a GPU's driver. */
async function machineWithGpu(name: string): Promise<Machine> {
  const bin = join(await lab.folder(), 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'nvidia-smi'), '#!/bin/sh\necho GPU-1c4a3ad2-7f07-8d6b-0d0b-0d9cf3a1b5b0\n');
  await chmod(join(bin, 'nvidia-smi'), 0o755);
  return await lab.machine(name, { env: { PATH: `${bin}:${process.env.PATH}` } });
}

async function openShared(): Promise<{ worker: Machine; laptop: Machine; session: string }> {
  const { url } = await startSignaling(lab);
  const worker = await machineWithGpu('worker');
  const { session } = await startWorker(worker, url);
  return { worker, laptop: await lab.machine('laptop'), session };
}

describe('the catalog of a machine', () => {
  it('prints the same bytes over a session as at home, whatever models are called', async () => {
    const { worker, laptop, session } = await openShared();
    const [good, red] = [join(FIXTURES, 'good-mouse-v1'), join(FIXTURES, 'good-mouse-v2')];
    await importModel(worker, good, 'mouse', '--copy');
    await importModel(worker, red, 'red', '--name', 'A RED MODEL');
    // As another machine could have called it before names were checked.
    const registry = join(worker.home, 'models', 'registry.json');
    await writeFile(registry, (await readFile(registry, 'utf8')).replace('"A RED MODEL"', JSON.stringify(HOSTILE)));
    await worker.succeed(['catalog', 'register', ...PLAN]);
    const commands = [
      ...[['catalog'], ['catalog', '--json'], ['catalog', 'list', '--only', 'planned'], ['catalog', 'export', '-']],
      ...[
        ['catalog', 'show', 'mouse'],
        ['catalog', 'show', ID, '--json'],
        ['catalog', 'show', 'red'],
      ],
    ];
    for (const command of commands) {
      const [home, there] = [await worker.succeed(command), await laptop.succeed([...command, '--session', session])];
      expect(there.stdout).toBe(home.stdout);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: no control characters is the point
      expect(home.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(home.stdout).not.toContain(worker.home);
    }
    const { models } = await catalogOf(laptop, '--session', session);
    expect(models).toHaveLength(3);
    const mouse = models.find(({ name }) => name === 'mouse');
    expect(mouse).toMatchObject({ downloaded: true, backends: ['cpu', 'cuda'] });
    expect((await stat(join(worker.home, String(mouse?.path)))).isDirectory()).toBe(true);
  }, 120_000);

  it('is changed over a session as at home, and no session deletes a file', async () => {
    const { worker, laptop, session } = await openShared();
    const { id } = await importModel(worker, join(FIXTURES, 'good-mouse-v1'), 'mouse', '--copy');
    const there = await laptop.succeed(['catalog', 'register', ...PLAN, '--session', session]);
    await worker.succeed(['catalog', 'unregister', ID]);
    const home = await worker.succeed(['catalog', 'register', ...PLAN]);
    expect(there.stdout).toBe(home.stdout);
    const again = await laptop.run(['catalog', 'register', ...PLAN, '--session', session, '--json']);
    expect([again.exitCode, errorOf(again).message]).toEqual([2, expect.stringContaining('in the catalog already')]);
    const bad = ['catalog', 'register', 'a/../b', '--repo', ID];
    const [badHome, badThere] = [await worker.run(bad), await laptop.run([...bad, '--session', session])];
    expect([badThere.exitCode, badThere.stderr]).toEqual([badHome.exitCode, badHome.stderr]);
    expect(badHome.stderr).toContain('The id cannot be used');
    const owned = await laptop.run(['catalog', 'unregister', ID, '--session', session, '--json']);
    expect([owned.exitCode, errorOf(owned).code]).toEqual([8, 'refused']);
    for (const more of [[], ['--with-files', '--yes']]) {
      expect((await laptop.run(['catalog', 'unregister', id, '--session', session, ...more])).exitCode).not.toBe(0);
    }
    expect((await catalogOf(worker)).models.map((model) => model.id).sort()).toEqual([id, ID].sort());
  }, 120_000);

  it('lists, shows and deletes a model under an id with slashes, with its files', async () => {
    const machine = await lab.machine('slashes');
    const { id, localPath } = await importModel(machine, join(FIXTURES, 'good-mouse-v1'), 'mouse', '--copy');
    await importModel(machine, join(FIXTURES, 'good-mouse-v2'), 'stays', '--copy');
    const refused = await machine.run(['catalog', 'unregister', id, '--json']);
    expect([refused.exitCode, errorOf(refused).message]).toEqual([2, expect.stringContaining('--with-files')]);
    await machine.succeed(['catalog', 'export', 'catalog.json']);
    // Registered by its content, as another machine's catalog names it.
    const other = JSON.parse(await readFile(join(machine.folder, 'catalog.json'), 'utf8')) as {
      models: { id: string }[];
    };
    const models = other.models
      .filter((model) => model.id === id)
      .map((model) => ({ ...model, id: 'lab/mice/mouse-1' }));
    await writeFile(join(machine.folder, 'other.json'), JSON.stringify({ ...other, models }));
    await machine.succeed(['client', 'delete-model', id, '--yes']);
    await machine.succeed(['catalog', 'import', 'other.json']);
    expect((await catalogOf(machine, '--only', 'planned')).models.map((model) => model.id)).toEqual([
      'lab/mice/mouse-1',
    ]);
    await importModel(machine, join(FIXTURES, 'good-mouse-v1'), 'mouse', '--copy');
    const shown = (await machine.succeed(['catalog', 'show', 'lab/mice/mouse-1', '--json'])).json<{
      model: { downloaded: boolean };
    }>();
    expect(shown.model.downloaded).toBe(true);
    const unasked = await machine.run(['catalog', 'unregister', 'lab/mice/mouse-1', '--with-files', '--json']);
    expect(errorOf(unasked).message).toContain('--yes');
    await machine.succeed(['catalog', 'unregister', 'lab/mice/mouse-1', '--with-files', '--yes']);
    await expect(stat(localPath)).rejects.toThrow('ENOENT');
    expect((await catalogOf(machine)).models.map(({ name }) => name)).toEqual(['stays']);
  }, 120_000);

  it('never writes over a file that is damaged, and says where it keeps it', async () => {
    const machine = await lab.machine('damaged');
    await machine.succeed(['catalog', 'register', ...PLAN]);
    await writeFile(join(machine.home, 'catalog.json'), '{"version":1,"planned":[{');
    const listed = await machine.run(['catalog']);
    expect([listed.exitCode, listed.stdout]).toEqual([0, '']);
    expect(listed.stderr).toContain('is damaged, so planned models are not shown');
    const registered = await machine.succeed(['catalog', 'register', ...PLAN]);
    const [kept = ''] = (await readdir(machine.home)).filter((name) => name.startsWith('catalog.corrupted.'));
    expect(registered.stderr).toContain(kept);
    expect(await readFile(join(machine.home, kept), 'utf8')).toBe('{"version":1,"planned":[{');
    expect((await catalogOf(machine)).models.map(({ id }) => id)).toEqual([ID]);
  }, 60_000);

  it('takes in the catalog of another machine, and refuses one of a newer version', async () => {
    const [one, two] = [await lab.machine('one'), await lab.machine('two')];
    await importModel(one, join(FIXTURES, 'good-mouse-v1'), 'mouse');
    await one.succeed(['catalog', 'register', ...PLAN]);
    await two.succeed(['catalog', 'register', ...PLAN]);
    const file = join(one.folder, 'catalog.json');
    await one.succeed(['catalog', 'export', file]);
    expect((await one.run(['catalog', 'export', file])).exitCode).toBe(2);
    const result = (await two.succeed(['catalog', 'import', file, '--json'])).json<{
      registered: string[];
      taken: string[];
    }>();
    const { pool_id } = await catalogOf(one);
    expect(result.taken).toEqual([ID]);
    expect(result.registered).toEqual([expect.stringMatching(new RegExp(`^${pool_id.slice(0, 8)}/[0-9a-f]{8}$`))]);
    const newer = join(two.folder, 'newer.json');
    await writeFile(newer, (await readFile(file, 'utf8')).replace('"version": 1', '"version": 2'));
    const refused = await two.run(['catalog', 'import', newer, '--json']);
    expect([refused.exitCode, errorOf(refused).message]).toEqual([8, expect.stringContaining('newer model-rtc')]);
  }, 120_000);
});
