import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Alias } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { Registry } from '../../src/index.ts';
import { installFiles, writeFiles } from '../helpers/models.ts';
import { openTestRegistry, warningLog } from '../helpers/registry.ts';

const before = process.cwd();
let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  process.chdir(folder);
});
afterEach(() => process.chdir(before));

const mouse = 'mouse' as Alias;

async function open(): Promise<{ registry: Registry; log: ReturnType<typeof warningLog> }> {
  const log = warningLog();
  return { registry: await openTestRegistry({ log }), log };
}

describe('a folder in the working directory that is named like an alias', () => {
  it('does not take its place, and is mentioned', async () => {
    const { registry, log } = await open();
    const { id } = await installFiles(registry, { a: '1' }, { alias: mouse });
    await mkdir('mouse');
    expect(await registry.resolve('mouse')).toMatchObject({ resolvedBy: 'alias', entry: { id } });
    expect(log.warnings).toEqual([expect.stringContaining(`alias of model ${id}`)]);
    expect(log.warnings[0]).toContain('./mouse');
  });

  it('is mentioned by whatever is about to change or remove the model, too', async () => {
    const { registry, log } = await open();
    await installFiles(registry, { a: '1' }, { alias: mouse });
    await mkdir('mouse');
    await registry.lineage('mouse');
    await registry.update('mouse', { notes: 'x' });
    const other = await writeFiles(join(folder, 'run'), { 'best.ckpt': '2' });
    await registry.importModel(other, { parent: 'mouse' });
    expect(log.warnings).toHaveLength(3);
  });

  it('is meant by a path, and then nothing is said', async () => {
    const { registry, log } = await open();
    await installFiles(registry, { a: '1' }, { alias: mouse });
    const path = await writeFiles(join(folder, 'mouse'), { 'best.ckpt': '2' });
    const { entry } = await registry.importModel(path);
    expect(await registry.resolve('./mouse')).toMatchObject({ resolvedBy: 'path', entry: { id: entry.id } });
    expect(log.warnings).toEqual([]);
  });

  it('is not mentioned when it is the very model that has the alias', async () => {
    const { registry, log } = await open();
    const path = await writeFiles(join(folder, 'mouse'), { 'best.ckpt': '2' });
    await registry.importModel(path, { alias: mouse });
    await symlink(path, 'rat');
    await registry.resolve('mouse');
    expect(log.warnings).toEqual([]);
  });

  it('and is not registered is named in the error, with the command that registers it', async () => {
    const { registry } = await open();
    await mkdir('mouse');
    const error = await rejection(registry.resolve('mouse'));
    expect(error).toMatchObject({ code: 'not_found_locally', details: { path: join(folder, 'mouse') } });
    expect(error.message).toContain(`import-model ${join(folder, 'mouse')}`);
  });

  it('is nobody’s business where a reference cannot be a path', async () => {
    const { registry, log } = await open();
    await installFiles(registry, { a: '1' }, { alias: mouse });
    const path = await writeFiles(join(folder, 'rat'), { 'best.ckpt': '2' });
    const { entry } = await registry.importModel(path);
    await mkdir('mouse');
    await registry.resolve('mouse', { paths: false });
    for (const ref of ['rat', path, entry.localPath]) {
      const error = await rejection(registry.resolve(ref, { paths: false }));
      expect(error).toMatchObject({ code: 'not_found_locally', details: { ref } });
      expect(error.message).not.toContain('import-model');
    }
    expect(log.warnings).toEqual([]);
  });
});
