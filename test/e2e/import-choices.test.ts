import { chmod, copyFile, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { treeDigest } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import { errorOf, IGNORED, type ImportJson, type ModelJson, openScene, push, type Scene } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab('after all');
let opened: Promise<Scene> | undefined;
const scene = (): Promise<Scene> => {
  opened ??= openScene(lab);
  return opened;
};

interface SkippedJson {
  readonly path: string;
  readonly reason: string;
  readonly bytes?: number;
  readonly files?: number;
}
interface ImportedJson extends ImportJson {
  readonly skipped: readonly SkippedJson[];
  readonly followed: readonly { readonly path: string; readonly target: string }[];
}
interface EachJson {
  readonly models: readonly (
    | (ImportedJson & { readonly path: string })
    | { readonly path: string; readonly error: object }
  )[];
  readonly imported: number;
  readonly failed: number;
}

async function imported(machine: Machine, path: string, ...more: string[]): Promise<ImportedJson> {
  return (await machine.succeed(['client', 'import-model', path, '--json', ...more])).json<ImportedJson>();
}

/** What the worker's machine has of a model. */
async function arrived(worker: Machine, { id }: ModelJson): Promise<string> {
  const info = await worker.succeed(['client', 'model-info', id, '--json']);
  return info.json<{ entry: ModelJson }>().entry.localPath;
}

/** A model in the layout of a hub, with one tensor. */
async function writeModel(folder: string, content: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const header = JSON.stringify({ w: { dtype: 'U8', shape: [content.length], data_offsets: [0, content.length] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(join(folder, 'config.json'), '{"model_type": "llama"}');
  await writeFile(join(folder, 'model.safetensors'), Buffer.concat([length, Buffer.from(header + content)]));
}

/** A model with what people have beside one: logs, a state of the training, programs, links, an empty folder, an odd name. */
async function messyModel(machine: Machine, name: string): Promise<string> {
  const folder = join(machine.folder, name);
  for (const inside of ['wandb/run', 'empty']) await mkdir(join(folder, inside), { recursive: true });
  await writeModel(folder, name);
  await writeFile(join(machine.folder, 'secret.txt'), 'secret');
  await writeFile(join(folder, 'a:b.json'), `{"name": "${name}"}`);
  await writeFile(join(folder, 'optimizer.pt'), 'state');
  await writeFile(join(folder, 'wandb/run/output.txt'), 'log');
  await writeFile(join(folder, 'modeling.py'), 'import os');
  await writeFile(join(folder, 'run.sh'), '#!/bin/sh\necho');
  await chmod(join(folder, 'run.sh'), 0o755);
  await copyFile(process.execPath, join(folder, 'serve.bin'));
  return folder;
}

describe('a folder with more than a model in it', () => {
  it('arrives as the model alone, with odd names, and what stays is named with its reason and bytes', async () => {
    const { worker, client } = await scene();
    const machine = await client('tidy');
    const folder = await messyModel(machine, 'tidy');
    const { entry, skipped } = await imported(machine, folder);
    const named = new Map(skipped.map((one) => [one.path, one]));
    expect([...named.keys()].sort()).toEqual(['empty', 'optimizer.pt', 'run.sh', 'serve.bin', 'wandb']);
    expect(named.get('wandb')).toMatchObject({ bytes: 3, files: 1 });
    expect(named.get('serve.bin')).toMatchObject({ bytes: (await stat(process.execPath)).size });
    await push(machine, entry.id);
    const there = await treeDigest(await arrived(worker, entry), IGNORED);
    expect([...there.keys()].sort()).toEqual(['a:b.json', 'config.json', 'model.safetensors', 'modeling.py']);
    const info = await worker.succeed(['client', 'model-info', entry.id, '--json']);
    expect(info.json<{ entry: { codeFiles: { path: string }[] } }>().entry.codeFiles).toMatchObject([
      { path: 'modeling.py' },
    ]);
  }, 60_000);

  it('arrives with what --include takes, never executable, and without what --exclude leaves out', async () => {
    const { worker, client } = await scene();
    const machine = await client('chooser');
    const folder = await messyModel(machine, 'chosen');
    const patterns = ['--include', '*.sh', '--include', 'wandb/**', '--exclude', '*.py'];
    const { entry } = await imported(machine, folder, ...patterns);
    await push(machine, entry.id);
    const place = await arrived(worker, entry);
    expect([...(await treeDigest(place, IGNORED)).keys()].sort()).toEqual([
      ...['a:b.json', 'config.json', 'model.safetensors', 'run.sh', 'wandb/run/output.txt'],
    ]);
    expect((await stat(join(place, 'run.sh'))).mode & 0o111).toBe(0);
  }, 60_000);

  it('is refused when a link leads out of it, and with --follow-links the other side has what it leads to', async () => {
    const { worker, client } = await scene();
    const machine = await client('linker');
    const folder = await messyModel(machine, 'linked');
    await symlink('../secret.txt', join(folder, 'vocab.json'));
    const refused = await machine.run(['client', 'import-model', folder, '--json']);
    expect(refused.exitCode).toBe(8);
    expect(errorOf(refused)).toMatchObject({ code: 'refused', message: expect.stringContaining('vocab.json') });
    const { entry, followed } = await imported(machine, folder, '--follow-links');
    expect(followed).toEqual([{ path: 'vocab.json', target: join(machine.folder, 'secret.txt') }]);
    await push(machine, entry.id);
    expect(await readFile(join(await arrived(worker, entry), 'vocab.json'), 'utf8')).toBe('secret');
  }, 60_000);
});

describe('a folder of several models', () => {
  it('is refused with their list, and with --all each is imported that can be', async () => {
    const { worker, client } = await scene();
    const machine = await client('collector');
    const folder = join(machine.folder, 'models');
    for (const name of ['one', 'two', 'broken']) {
      await writeModel(join(folder, name), name);
    }
    await writeFile(
      join(folder, 'broken', 'model.safetensors'),
      'version https://git-lfs.github.com/spec/v1\nsize 9\n',
    );
    const refused = await machine.run(['client', 'import-model', folder, '--json']);
    expect(refused.exitCode).toBe(2);
    expect(errorOf(refused)).toMatchObject({
      details: { models: [{ path: 'broken' }, { path: 'one' }, { path: 'two' }] },
    });

    const all = await machine.run(['client', 'import-model', folder, '--all', '--json']);
    expect(all.exitCode).toBe(6);
    expect(errorOf(all).message).toMatch(/^1 of 3 models could not be imported: .*broken/);
    const { models, ...counts } = all.json<EachJson>();
    expect(counts).toMatchObject({ imported: 2, failed: 1 });
    expect(models[0]).toMatchObject({ path: join(folder, 'broken'), error: { code: 'invalid_model' } });
    for (const model of models.slice(1)) {
      const { entry } = model as ImportedJson;
      await push(machine, entry.id);
      expect(await arrived(worker, entry)).toContain(entry.id);
    }

    const { entry } = await imported(machine, folder, '--as-one', '--allow-incomplete');
    expect(entry).toMatchObject({ fileCount: 6 });
  }, 60_000);
});
