import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Alias } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { failure, importBytes, openLab, seededBytes } from './support/lab.ts';

/** A pickle that would run a command, under a name that promises plain numbers. */
const DISGUISED = "cos\nsystem\n(S'true'\ntR.";

const made: string[] = [];
afterEach(async () => {
  await Promise.all(made.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function importFile(registry: Registry, name: string, content: string): Promise<RegistryEntry> {
  const folder = await mkdtemp(join(tmpdir(), 'model-rtc-safe-'));
  made.push(folder);
  await writeFile(join(folder, name), content);
  return (await registry.importModel(join(folder, name), { alias: 'mouse' as Alias, copy: true })).entry;
}

async function isEmpty(registry: Registry): Promise<boolean> {
  const { total } = await registry.list({ filters: {}, sort: 'date', limit: 1 });
  return total === 0 && (await readdir(registry.paths.staging)).length === 0;
}

describe('a pull of safe models only', () => {
  it('refuses by its files’ names, before a byte of them is fetched', async () => {
    const asked: string[] = [];
    const { client, there, here } = await openLab({
      handlers: {
        get_chunks: async () => {
          asked.push('get_chunks');
          return {};
        },
      },
    });
    await importBytes(there, seededBytes(5000, 1), { alias: 'mouse' });
    const error = await failure(client.pullModel('mouse', { safeOnly: true }));
    expect(error).toMatchObject({ code: 'refused', exitCode: 8 });
    expect(error.message).toContain('weights.pt');
    expect(asked).toEqual([]);
    expect(await isEmpty(here)).toBe(true);
  });

  it('refuses by what the files hold, and names what they import, before anything is visible', async () => {
    const { client, there, here } = await openLab();
    await importFile(there, 'weights.tflite', DISGUISED);
    const error = await failure(client.pullModel('mouse', { safeOnly: true }));
    expect(error).toMatchObject({ code: 'refused', exitCode: 8 });
    expect(error.message).toMatch(/weights\.tflite.*system/);
    expect(await isEmpty(here)).toBe(true);
  });

  it('is refused as a plan, too: by names, by what was found in the files, and when it is here', async () => {
    const { client, there } = await openLab();
    await importBytes(there, seededBytes(5000, 1), { alias: 'named' });
    await importFile(there, 'weights.tflite', DISGUISED);
    for (const ref of ['named', 'mouse']) {
      expect((await client.planPull(ref)).exists).toBe(false);
      expect(await failure(client.planPull(ref, { safeOnly: true }))).toMatchObject({ code: 'refused', exitCode: 8 });
      await client.pullModel(ref);
      expect((await client.planPull(ref)).exists).toBe(true);
      expect((await failure(client.planPull(ref, { safeOnly: true }))).code).toBe('refused');
    }
  });

  it('believes nothing that the worker says of the files', async () => {
    const lab = await openLab({
      handlers: {
        get_model_info: async () => {
          const { entry } = await lab.there.resolve('mouse');
          return { entry: { ...entry, codeFiles: [] } as never, resolvedBy: 'alias' as const };
        },
      },
    });
    await importFile(lab.there, 'weights.tflite', DISGUISED);
    expect((await failure(lab.client.pullModel('mouse', { safeOnly: true }))).code).toBe('refused');
    const { entry } = await lab.client.pullModel('mouse');
    expect(entry.codeFiles).toMatchObject([{ path: 'weights.tflite' }]);
  });

  it('refuses one that is here already, too', async () => {
    const { client, there } = await openLab();
    await importFile(there, 'weights.tflite', DISGUISED);
    await client.pullModel('mouse');
    expect((await failure(client.pullModel('mouse', { safeOnly: true }))).code).toBe('refused');
  });

  it('takes a model that runs nothing', async () => {
    const { client, there } = await openLab();
    await importFile(there, 'weights.tflite', 'only numbers');
    const { entry } = await client.pullModel('mouse', { safeOnly: true });
    expect(entry.codeFiles).toEqual([]);
    expect((await client.pullModel('mouse', { safeOnly: true })).outcome).toBe('already_there');
  });
});

describe('a worker of safe models only', () => {
  it('refuses a push by name and by content, in words for the client', async () => {
    const { client, here, there } = await openLab({ safeOnly: true });
    await importBytes(here, seededBytes(5000, 1), { alias: 'named' });
    await importFile(here, 'weights.tflite', DISGUISED);
    for (const [ref, file] of [
      ['named', 'weights.pt'],
      ['mouse', 'weights.tflite'],
    ] as const) {
      const error = await failure(client.pushModel(ref));
      expect(error).toMatchObject({ code: 'refused', exitCode: 8, details: { codeFiles: [{ path: file }] } });
      expect(error.message).toMatch(new RegExp(`^The worker refuses models that run code .*${file}`));
      expect(error.message).not.toContain(there.paths.root);
    }
    expect(await isEmpty(there)).toBe(true);
  });

  it('refuses the plan of a push by its files’ names, in words for the client', async () => {
    const { client, here } = await openLab({ safeOnly: true });
    await importBytes(here, seededBytes(5000, 1), { alias: 'named' });
    const error = await failure(client.planPush('named'));
    expect(error).toMatchObject({ code: 'refused', exitCode: 8 });
    expect(error.message).toMatch(/^The worker refuses models that run code .*weights\.pt/);
  });

  it('takes a model that runs nothing', async () => {
    const { client, here, there } = await openLab({ safeOnly: true });
    const { digest } = await importFile(here, 'weights.tflite', 'only numbers');
    expect((await client.pushModel('mouse')).outcome).toBe('pushed');
    expect((await there.resolve('mouse')).entry.digest).toBe(digest);
  });
});
