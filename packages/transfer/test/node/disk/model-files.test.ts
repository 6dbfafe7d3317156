import { appendFile, link, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { planLayout } from '../../../src/core/layout/layout.ts';
import { ModelFiles } from '../../../src/node/disk/model-files.ts';
import { contentsOf, makeFileModel } from '../../support/models.ts';
import { temporaryFolder } from '../../support/pulling.ts';

const model = makeFileModel(30_000, 10_000);
const layout = planLayout(contentsOf(model));
const weights = model.files.get('weights.bin') as Buffer;

/** A staged file that is another model's, too. */
async function shared(bytes: Buffer): Promise<{ files: ModelFiles; original: string; staged: string }> {
  const folder = await temporaryFolder();
  const [original, staged] = [join(folder, 'original.bin'), join(folder, 'files', 'weights.bin')];
  await mkdir(join(folder, 'files'));
  await writeFile(original, bytes);
  await link(original, staged);
  return { files: new ModelFiles(join(folder, 'files'), layout), original, staged };
}

describe('flushing a file that has another name', () => {
  it('leaves what somebody appended to it under that name', async () => {
    const { files, original, staged } = await shared(weights);
    await appendFile(original, 'added later');
    await files.flush();
    expect((await readFile(original)).equals(Buffer.concat([weights, Buffer.from('added later')]))).toBe(true);
    expect((await readFile(staged)).equals(weights)).toBe(true);
  });

  it('does not make it longer under that name', async () => {
    const { files, original, staged } = await shared(weights.subarray(0, 20_000));
    await files.flush();
    expect((await stat(original)).size).toBe(20_000);
    expect((await stat(staged)).size).toBe(30_000);
  });

  it('keeps it shared where it is as long as it should be', async () => {
    const { files, original, staged } = await shared(weights);
    await files.flush();
    expect((await stat(staged)).ino).toBe((await stat(original)).ino);
  });
});
