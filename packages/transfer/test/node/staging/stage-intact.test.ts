import { link, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { stageIntactFiles } from '../../../src/index.ts';
import { expectFiles } from '../../support/expectations.ts';
import { makeModel, seededBytes, type TestModel } from '../../support/models.ts';
import { pullModel, temporaryFolder } from '../../support/pulling.ts';
import { memorySource } from '../../support/sources.ts';

const FILES = {
  'a.bin': seededBytes(400, 1),
  'sub/b.bin': seededBytes(300, 2),
  'empty.txt': Buffer.alloc(0),
  'c.bin': seededBytes(300, 3),
};
/** Chunks of 100 bytes: 0 to 3 in a.bin, 4 to 6 in b.bin, 7 to 9 in c.bin. */
const MODEL = makeModel(FILES, [100]);

async function installed(model: TestModel = MODEL) {
  const [modelFolder, staging] = [await temporaryFolder(), await temporaryFolder()];
  for (const [path, bytes] of model.files) {
    await mkdir(dirname(join(modelFolder, path)), { recursive: true });
    await writeFile(join(modelFolder, path), bytes);
  }
  const { digest, manifest } = model;
  const stage = (damagedChunks: number[]) =>
    stageIntactFiles({ staging, digest, manifest, modelFolder, damagedChunks });
  return { modelFolder, staging, stage, staged: join(staging, digest, 'files') };
}

const exists = async (path: string): Promise<boolean> =>
  await stat(path).then(
    () => true,
    () => false,
  );

describe('staging the whole files of a damaged model', () => {
  it('lets a pull fetch the chunks of the damaged files only, and keep the others as they are', async () => {
    const { modelFolder, staging, stage } = await installed();
    await writeFile(join(modelFolder, 'sub/b.bin'), 'cut');
    expect(await stage([4, 5, 6])).toBe(700);
    const before = await stat(join(modelFolder, 'a.bin'), { bigint: true });
    const source = memorySource(MODEL);
    const outcome = await pullModel(MODEL, { sources: [source], staging });
    expect(outcome).toMatchObject({ transferredBytes: 300, resumedBytes: 700 });
    await expectFiles(outcome.filesFolder, MODEL);
    const after = await stat(join(outcome.filesFolder, 'a.bin'), { bigint: true });
    expect({ ino: after.ino, mtimeNs: after.mtimeNs }).toEqual({ ino: before.ino, mtimeNs: before.mtimeNs });
    expect(await readFile(join(modelFolder, 'sub/b.bin'), 'utf8')).toBe('cut');
    await outcome.release();
  });

  it('finds what became wrong after it was staged', async () => {
    const { modelFolder, staging, stage } = await installed();
    await stage([4]);
    await writeFile(join(modelFolder, 'c.bin'), Buffer.alloc(300));
    const outcome = await pullModel(MODEL, { sources: [memorySource(MODEL)], staging });
    await expectFiles(outcome.filesFolder, MODEL);
    await outcome.release();
  });

  it('leaves out files that share a chunk with a damaged one: it would be written into them', async () => {
    const twin = FILES['a.bin'].subarray(0, 100);
    const shared = makeModel({ ...FILES, 'sub/b.bin': Buffer.concat([twin, FILES['sub/b.bin'].subarray(100)]) }, [100]);
    const { stage, staged } = await installed(shared);
    expect(await stage([1])).toBe(300);
    expect(await readdir(staged)).toEqual(['c.bin']);
  });

  it('leaves out files of chunks that span a damaged one', async () => {
    const { stage, staged } = await installed(makeModel(FILES, [350]));
    expect(await stage([1])).toBe(300);
    expect(await readdir(staged)).toEqual(['c.bin']);
  });

  it.each([
    ['has another name somewhere', async (path: string) => link(path, join(dirname(path), 'other-name'))],
    ['is a link', (path: string) => rm(path).then(() => symlink('/etc/hostname', path))],
    ['is gone', (path: string) => rm(path)],
    ['has another size', (path: string) => writeFile(path, 'more'.repeat(200))],
  ])('leaves out a file that %s', async (_, change) => {
    const { modelFolder, stage, staged } = await installed();
    await change(join(modelFolder, 'c.bin'));
    expect(await stage([0])).toBe(300);
    expect(await readdir(join(staged, 'sub'))).toEqual(['b.bin']);
    expect(await exists(join(staged, 'c.bin'))).toBe(false);
  });

  it('leaves an earlier attempt as it is, and nothing behind when all is damaged', async () => {
    const { staging, stage } = await installed();
    expect(await stage([0, 4, 7])).toBe(0);
    expect(await readdir(staging)).toEqual([]);
    await mkdir(join(staging, MODEL.digest));
    expect(await stage([0])).toBe(0);
    expect(await readdir(join(staging, MODEL.digest))).toEqual([]);
  });
});
