import { access, copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type FileFacts, treeDigest } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import {
  errorOf,
  FIXTURES,
  IGNORED,
  importModel,
  type ModelJson,
  openScene,
  pull,
  resultsOf,
} from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab('after all');

interface PlanJson {
  readonly remove: readonly { readonly entry: ModelJson; readonly freesBytes: number }[];
  readonly transfers: readonly { readonly model: string; readonly bytes: number }[];
  readonly freedBytes: number;
}

async function command<T>(machine: Machine, ...args: string[]): Promise<T> {
  return (await machine.succeed(['client', ...args, '--json'])).json<T>();
}

async function failure(machine: Machine, ...args: string[]) {
  const result = await machine.run(['client', ...args, '--json']);
  expect(resultsOf(result)).toEqual([]);
  return { exitCode: result.exitCode, ...errorOf(result) };
}

async function idsOn(machine: Machine): Promise<string[]> {
  const { models } = await command<{ models: ModelJson[] }>(machine, 'list-models');
  return models.map(({ id }) => id).sort();
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** Files without their modes: a copy is writable. */
function contents(tree: Map<string, FileFacts>): [string, string][] {
  return [...tree].map(([path, { sha256 }]) => [path, sha256]);
}

describe('a version that is pulled under the alias of another', () => {
  it('leaves the old one to go back to, until it is cleaned', async () => {
    const { worker, client } = await openScene(lab);
    const laptop = await client('laptop');
    const old = await importModel(laptop, join(FIXTURES, 'good-mouse-v1'), 'mouse', '--copy');
    const fresh = await importModel(worker, join(FIXTURES, 'good-mouse-v2'), 'mouse');
    const pulled = await pull(laptop, 'mouse', '--alias-conflict', 'overwrite');
    expect(pulled.entry).toMatchObject({ id: fresh.id, alias: 'mouse' });

    const { records } = await command<{ records: { entry: ModelJson }[] }>(laptop, 'history', 'mouse');
    expect(records.map(({ entry }) => entry.id)).toEqual([fresh.id, old.id]);
    for (const [back, ...to] of [[old], [fresh, '--to', fresh.id]] as const) {
      const { entry } = await command<{ entry: ModelJson }>(laptop, 'rollback', 'mouse', ...to);
      expect(entry).toMatchObject({ id: back.id, alias: 'mouse' });
    }

    const shown = await command<PlanJson>(laptop, 'clean-models', '--dry-run');
    expect(shown.remove.map(({ entry }) => entry.id)).toEqual([old.id]);
    expect(await failure(laptop, 'clean-models')).toMatchObject({ exitCode: 2, details: { flag: '--yes' } });
    const cleaned = await command<PlanJson>(laptop, 'clean-models', '--yes');
    expect(cleaned.freedBytes).toBe(shown.remove[0]?.freesBytes);
    expect(await idsOn(laptop)).toEqual([fresh.id]);
    expect(await failure(laptop, 'rollback', 'mouse')).toMatchObject({ exitCode: 4 });
  }, 60_000);
});

describe('a model that is deleted', () => {
  it('is asked about, warned of by its descendants, and gone with its files', async () => {
    const machine = await lab.machine('deleting');
    const base = await importModel(machine, join(FIXTURES, 'tiny-llama'), 'base', '--copy');
    const child = await importModel(machine, join(FIXTURES, 'tiny-llama-tuned'), 'child', '--parent', 'base');
    const lineage = await command<{ ancestors: { entry?: ModelJson }[] }>(machine, 'lineage', 'child');
    expect(lineage.ancestors[0]?.entry?.id).toBe(base.id);

    expect(await failure(machine, 'delete-model', 'base')).toMatchObject({ exitCode: 2, details: { flag: '--yes' } });
    expect(await isThere(base.localPath)).toBe(true);
    const deleted = await machine.succeed(['client', 'delete-model', base.digest.slice(0, 10), '--yes']);
    expect(deleted.stderr).toContain(`Models made from this one stay: child (${child.id})`);
    expect(deleted.stdout).toMatch(/^Deleted base \(\w{8}\): [\d.]+ \wB freed\n$/);
    expect(await isThere(base.localPath)).toBe(false);
    expect(await idsOn(machine)).toEqual([child.id]);
  }, 60_000);

  it('leaves originals alone, and the files of a copy where it says', async () => {
    const machine = await lab.machine('keeping');
    const path = join(FIXTURES, 'legacy-rat-2023');
    const before = await treeDigest(path);
    const linked = await importModel(machine, path, 'rat');
    await machine.succeed(['client', 'delete-model', 'rat', '--yes']);
    expect(await treeDigest(path)).toEqual(before);
    await importModel(machine, path, 'rat', '--copy');
    const { keptAt } = await command<{ keptAt: string }>(machine, 'delete-model', linked.id, '--keep-files');
    expect(contents(await treeDigest(keptAt, IGNORED))).toEqual(contents(before));
    expect(await idsOn(machine)).toEqual([]);
    expect(await readdir(join(machine.home, 'staging'))).toEqual([]);
  }, 60_000);

  it('stays while a broken-off transfer needs what only it has here, and goes once that is given up', async () => {
    const machine = await lab.machine('needed');
    const base = await importModel(machine, join(FIXTURES, 'tiny-llama'), 'base', '--copy');
    // What a pull that was cut off before its first chunk leaves.
    const other = await lab.machine('other');
    const tuned = await importModel(other, join(FIXTURES, 'tiny-llama-tuned'), 'tuned');
    const staged = join(machine.home, 'staging', tuned.digest);
    await mkdir(staged);
    await copyFile(join(tuned.localPath, '.model-rtc/manifest.json'), join(staged, 'manifest.json'));

    expect(await failure(machine, 'delete-model', 'base', '--yes')).toMatchObject({ exitCode: 8, code: 'refused' });
    expect(await isThere(base.localPath)).toBe(true);
    expect(await command<PlanJson>(machine, 'clean-models', '--dry-run')).toMatchObject({ transfers: [] });
    const cleaned = await command<PlanJson>(machine, 'clean-models', '--older-than', '0s', '--yes');
    expect(cleaned.transfers.map(({ model }) => model)).toEqual([tuned.digest]);
    await machine.succeed(['client', 'delete-model', 'base', '--yes']);
    expect(await idsOn(machine)).toEqual([]);
  }, 60_000);
});

describe('what is said of a model', () => {
  it('is changed by alias, id and prefix, and kept in the index that a person can read', async () => {
    const machine = await lab.machine('noting');
    const { id, digest } = await importModel(machine, join(FIXTURES, 'tiny-onnx'), 'net');
    await machine.succeed(['client', 'update-model', '--add-tag', 'a', '--add-tag', 'b', 'net', '--notes', 'cage 4']);
    await machine.succeed(['client', 'update-model', id, '--remove-tag', 'a']);
    await machine.succeed(['client', 'update-model', digest.slice(0, 12), '--add-tag', 'c']);
    const index = JSON.parse(await readFile(join(machine.home, 'models/registry.json'), 'utf8'));
    expect(index.models[id]).toMatchObject({ tags: ['b', 'c'], notes: 'cage 4' });
    expect(await failure(machine, 'update-model', 'net')).toMatchObject({ exitCode: 2 });
  }, 60_000);

  it('is its alias, which is only taken from another by force', async () => {
    const machine = await lab.machine('naming');
    const first = await importModel(machine, join(FIXTURES, 'tiny-onnx'), 'net');
    const second = await importModel(machine, join(FIXTURES, 'tiny-gguf'), 'other');
    const refused = await failure(machine, 'tag-model', 'other', 'net');
    expect(refused).toMatchObject({ exitCode: 8, code: 'alias_taken', message: expect.stringContaining('--force') });
    await machine.succeed(['client', 'tag-model', 'other', 'net', '--force']);
    expect(await command(machine, 'untag-model', 'net')).toMatchObject({ entry: { id: second.id } });
    expect(await failure(machine, 'untag-model', 'net')).toMatchObject({ exitCode: 4 });
    expect(await failure(machine, 'tag-model', first.id, 'not ok')).toMatchObject({
      exitCode: 2,
      details: { suggestion: 'not-ok' },
    });
  }, 60_000);
});
