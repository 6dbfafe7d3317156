import { copyFile, cp, lstat, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import { errorOf, FIXTURES, IGNORED, importModel, openScene, pull, push, type Scene } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

interface VerifyJson {
  readonly models: readonly {
    readonly entry: { readonly alias: string };
    readonly state: string;
    readonly problems: readonly { readonly path: string }[];
    readonly damagedChunks: readonly number[];
    readonly repair?: { readonly outcome: string; readonly from?: string; readonly transferredBytes: number };
  }[];
  readonly orphans: readonly { readonly path: string; readonly kind: string }[];
  readonly totals: { readonly damaged: number; readonly repaired: number };
}

interface RepairJson {
  readonly outcome: string;
  readonly from?: string;
  readonly entry: { readonly linked: boolean; readonly originalPath?: string };
  readonly transferredBytes: number;
}

const MEBIBYTE = 1024 * 1024;

const lab = useLab('after all');
let opened: Promise<Scene> | undefined;
const scene = (): Promise<Scene> => {
  opened ??= openScene(lab);
  return opened;
};

/** Changes one byte of a file and leaves size and time as a failing disk does. */
async function damage(path: string, at: number): Promise<void> {
  const { atime, mtime } = await lstat(path);
  const bytes = await readFile(path);
  bytes[at] = 1 + (bytes[at] as number);
  await writeFile(path, bytes);
  await utimes(path, atime, mtime);
}

const verify = async (
  machine: Machine,
  ...args: string[]
): Promise<{ exitCode: number | undefined; found: VerifyJson }> => {
  const result = await machine.run(['client', 'verify', '--json', ...args]);
  return { exitCode: result.exitCode, found: result.json<VerifyJson>() };
};

/** A worker's model of 6 MiB, and the home of a client that has pulled it: each test gets a copy of it. */
async function prepare(): Promise<{ readonly file: string; readonly home: string }> {
  const { client } = await scene();
  const [sender, receiver] = [await client('sender'), await client('receiver')];
  const file = join(await lab.folder(), 'weights.pt');
  await makeRandomFile(file, 6 * MEBIBYTE);
  await importModel(sender, file, 'mouse');
  await push(sender, 'mouse');
  await pull(receiver, 'mouse');
  return { file, home: receiver.home };
}

let prepared: ReturnType<typeof prepare> | undefined;

/** A client with a model that the worker has too. */
async function pulledModel(name: string) {
  prepared ??= prepare();
  const { client, session } = await scene();
  const home = join(await lab.folder(), 'home');
  await cp((await prepared).home, home, { recursive: true, preserveTimestamps: true });
  const [folder = ''] = (await readdir(join(home, 'models'))).filter((item) => !item.startsWith('registry.'));
  const localPath = join(home, 'models', folder);
  return { machine: await client(name, home), session, localPath, path: join(localPath, 'weights.pt') };
}

describe('verify', () => {
  it('exits 0 while all is well, and 6 with the chunk when a byte of 40 MiB changed', async () => {
    const machine = await (await scene()).client('watched');
    // Large enough for the threads that hash large models.
    const file = join(await lab.folder(), 'weights.pt');
    await makeRandomFile(file, 40 * MEBIBYTE);
    await importModel(machine, file, 'watched');
    await importModel(machine, join(FIXTURES, 'tiny-llama'), 'llama', '--copy');
    expect(await verify(machine)).toMatchObject({ exitCode: 0, found: { totals: { damaged: 0 }, orphans: [] } });
    await damage(file, 34 * MEBIBYTE + 5);
    const result = await machine.run(['client', 'verify', '--json']);
    expect(result.exitCode).toBe(6);
    expect(errorOf(result)).toMatchObject({ code: 'verification_failed', message: expect.stringContaining('1 of 2') });
    expect(result.json<VerifyJson>().models).toEqual([
      expect.objectContaining({ entry: expect.objectContaining({ alias: 'llama' }), state: 'sound' }),
      expect.objectContaining({
        state: 'damaged',
        problems: [expect.objectContaining({ path: 'weights.pt' })],
        damagedChunks: [34],
      }),
    ]);
    expect((await machine.run(['client', 'verify', 'llama'])).exitCode).toBe(0);
    expect((await machine.run(['client', 'verify', 'no-such-model'])).exitCode).toBe(4);
  });

  it('tells a person what is wrong in a table, missing files and orphans too', async () => {
    const { machine, path } = await pulledModel('table');
    await rm(path);
    await mkdir(join(machine.home, 'models', 'centroid_left'));
    const { exitCode, stdout, stderr } = await machine.run(['client', 'verify', '--quick']);
    expect(exitCode).toBe(6);
    expect(stdout).toMatch(/^mouse +damaged/m);
    expect(stdout).toContain('weights.pt: it is missing');
    expect(stdout).toMatch(/centroid_left +0 B +it holds no readable model/);
    expect(stderr).toContain('verify --repair');
  });

  it('repairs from a kept worker that was seen with the model, fetching the damaged chunks only', async () => {
    const { machine, session, path, localPath } = await pulledModel('healed');
    const before = await treeDigest(localPath, IGNORED);
    await damage(path, 10);
    await damage(path, 5 * MEBIBYTE);
    // Nobody is asked unless a person kept the session.
    const bare = { env: { MODEL_RTC_SESSION: undefined } };
    const alone = await machine.run(['client', 'verify', '--repair', '--json'], bare);
    expect(alone.exitCode).toBe(6);
    expect(alone.json<VerifyJson>().models[0]?.repair).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('--from'),
    });
    await machine.succeed(['client', 'workers', 'add', 'lab', session], bare);
    const repaired = await machine.succeed(['client', 'verify', '--repair', '--json'], bare);
    expect(repaired.json<VerifyJson>()).toMatchObject({
      models: [{ state: 'sound', repair: { outcome: 'repaired', from: 'worker', transferredBytes: 2 * MEBIBYTE } }],
      totals: { damaged: 0, repaired: 1 },
    });
    expect(await treeDigest(localPath, IGNORED)).toEqual(before);
  });
});

describe('repair-model', () => {
  it('points a linked model to where its files are now, and refuses files that are not its', async () => {
    const { client } = await scene();
    const machine = await client('moved');
    const folder = await lab.folder();
    const [here, there] = [join(folder, 'here', 'weights.pt'), join(folder, 'there', 'weights.pt')];
    await makeRandomFile(here, MEBIBYTE);
    await importModel(machine, join(folder, 'here'), 'moved');
    await rename(join(folder, 'here'), join(folder, 'there'));
    expect((await verify(machine)).exitCode).toBe(6);
    await damage(there, 7);
    const wrong = await machine.run(['client', 'repair-model', 'moved', '--path', join(folder, 'there'), '--json']);
    expect(wrong.exitCode).toBe(6);
    expect(errorOf(wrong)).toMatchObject({ code: 'verification_failed' });
    const original = await readFile(there);
    original[7] = (original[7] as number) - 1;
    await writeFile(there, original);
    const args = ['client', 'repair-model', 'moved', '--path', join(folder, 'there'), '--json'];
    expect((await machine.succeed(args)).json<RepairJson>()).toMatchObject({
      outcome: 'relinked',
      entry: { linked: true, originalPath: join(folder, 'there') },
    });
    expect((await verify(machine)).exitCode).toBe(0);
  });

  it('fetches what is damaged from the worker named, and says so when nothing had to be', async () => {
    const { machine, session, path } = await pulledModel('fetched');
    const repair = async (): Promise<RepairJson> =>
      (await machine.succeed(['client', 'repair-model', 'mouse', '--from', session, '--json'])).json<RepairJson>();
    expect(await repair()).toMatchObject({ outcome: 'sound', transferredBytes: 0 });
    await damage(path, 3 * MEBIBYTE);
    expect(await repair()).toMatchObject({ outcome: 'repaired', from: 'worker', transferredBytes: MEBIBYTE });
    expect((await verify(machine)).exitCode).toBe(0);
  });

  it('makes a linked model whose file was written to the registry’s own, without touching the file', async () => {
    prepared ??= prepare();
    const { client, session } = await scene();
    const machine = await client('trained-on');
    const originalPath = join(await lab.folder(), 'weights.pt');
    await copyFile((await prepared).file, originalPath);
    await importModel(machine, originalPath, 'trained-on');
    await damage(originalPath, 0);
    const trained = await readFile(originalPath);
    const args = ['client', 'repair-model', 'trained-on', '--from', session, '--json'];
    expect((await machine.succeed(args)).json<RepairJson>()).toMatchObject({
      outcome: 'repaired',
      entry: { linked: false },
      transferredBytes: MEBIBYTE,
    });
    expect((await readFile(originalPath)).equals(trained)).toBe(true);
  });

  it('exits 2 for both --path and --from', async () => {
    const { client } = await scene();
    const machine = await client('both');
    const result = await machine.run(['client', 'repair-model', 'x', '--path', '.', '--from', 'lab']);
    expect(result.exitCode).toBe(2);
  });
});
