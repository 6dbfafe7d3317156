import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { scanModel } from '../../src/import/scan-model.ts';
import type { ScanOptions } from '../../src/import/scanned-model.ts';
import { failureOf, writeFiles } from './folders.ts';

const FILES = {
  'config.json': '{"model_type": "bert"}',
  'model.bin': 'weights',
  'optimizer.pt': 'state',
  'checkpoint-500/model.bin': 'weights',
  'run.sh': 'echo',
  'modeling.py': '#!/usr/bin/env python',
  'wandb/run/x.txt': 'log',
  'logs/train.csv': 'log',
  '.env': 'secret',
};
const NOT_EXCLUDED = ['.env', 'checkpoint-500/model.bin', 'logs/train.csv', 'modeling.py', 'optimizer.pt'];

/** What a scan takes besides the configuration and the weights. */
async function takenBesides(options: ScanOptions): Promise<string[]> {
  const folder = await writeFiles(join(await temporaryFolder(), 'm'), FILES);
  const { files, skipped } = await scanModel(folder, options);
  const paths = files.map(({ path }) => path as string);
  // What is there is either in the model or named as left out.
  const isNamed = (path: string) => skipped.some((one) => path === one.path || path.startsWith(`${one.path}/`));
  expect(Object.keys(FILES).filter((path) => !paths.includes(path) && !isNamed(path))).toEqual([]);
  return paths.filter((path) => !['config.json', 'model.bin'].includes(path));
}

describe('a scan', () => {
  it.each<[ScanOptions, string[]]>([
    [{}, ['modeling.py']],
    [{ include: ['*.sh'] }, ['modeling.py', 'run.sh']],
    [{ include: ['wandb'] }, ['modeling.py', 'wandb/run/x.txt']],
    [{ include: ['wandb/**/*.txt', 'logs'] }, ['logs/train.csv', 'modeling.py', 'wandb/run/x.txt']],
    [{ include: ['optimizer.pt', '.env'] }, ['.env', 'modeling.py', 'optimizer.pt']],
    [{ include: ['checkpoint-500'] }, ['checkpoint-500/model.bin', 'modeling.py']],
    [{ include: ['**'], exclude: ['*.sh', 'wandb'] }, NOT_EXCLUDED],
    [{ exclude: ['*.py'] }, []],
    [{ withTrainingState: true, exclude: ['*.py'] }, ['optimizer.pt']],
  ])('with %j takes, besides the model, %j', async (options, paths) => {
    expect(await takenBesides(options)).toEqual(paths);
  });

  it('leaves out executable scripts under any name', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'model.bin': 'w', launch: '#!/bin/sh' });
    await chmod(join(folder, 'launch'), 0o755);
    const { files, skipped } = await scanModel(folder);
    expect(files.map(({ path }) => path)).toEqual(['model.bin']);
    expect(skipped).toEqual([{ path: 'launch', reason: 'an executable script', bytes: 9 }]);
  });

  it('refuses patterns for a single file', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'model.bin': 'w' });
    const failure = await failureOf(scanModel(join(folder, 'model.bin'), { include: ['*.sh'] }));
    expect(failure).toMatchObject({ code: 'bad_argument', message: expect.stringContaining('is a file') });
  });

  it('names a folder without files as left out', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'model.bin': 'w' });
    await mkdir(join(folder, '2_Normalize'));
    const reason = expect.stringMatching(/^an empty folder/);
    expect((await scanModel(folder)).skipped).toEqual([{ path: '2_Normalize', reason }]);
  });

  it('refuses a shard that is a link to elsewhere, unless links are followed', async () => {
    const root = await writeFiles(await temporaryFolder(), { 'm/m-1-of-02.bin': 'a', 'other/m-2-of-02.bin': 'b' });
    await symlink('../other/m-2-of-02.bin', join(root, 'm/m-2-of-02.bin'));
    expect((await failureOf(scanModel(join(root, 'm/m-1-of-02.bin')))).code).toBe('refused');
    const { files, followed } = await scanModel(join(root, 'm/m-1-of-02.bin'), { followLinks: true });
    expect(files).toHaveLength(2);
    expect(followed).toEqual([{ path: 'm-2-of-02.bin', target: join(root, 'other/m-2-of-02.bin') }]);
  });
});
