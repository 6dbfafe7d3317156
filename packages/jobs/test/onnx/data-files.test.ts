import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { findDataFiles, matchSamples } from '../../src/onnx/data-files.ts';
import type { Port } from '../../src/onnx/types.ts';

async function folderOf(...names: string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), '');
  }
  return folder;
}

function ports(...names: string[]): Port[] {
  return names.map((name) => ({ name, dtype: 'float32', typeName: 'float32', shape: undefined }));
}

async function samplesOf(
  names: readonly string[],
  inputs: readonly Port[],
): Promise<[string, Record<string, string>][]> {
  const samples = matchSamples(await findDataFiles([await folderOf(...names)]), inputs);
  return samples.map(({ label, files }) => [
    label,
    Object.fromEntries([...files].map(([port, file]) => [port, file.name])),
  ]);
}

describe('data for a model', () => {
  it('is every array and image in a folder, in order, and nothing else', async () => {
    const files = await findDataFiles([await folderOf('b.npy', 'a/2.PNG', 'a/1.jpeg', 'notes.txt', 'c.npz')]);
    expect(files.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'a/1.jpeg image',
      'a/2.PNG image',
      'b.npy array',
    ]);
  });

  it('is a file that was named, if it is one of these', async () => {
    const folder = await folderOf('x.npy', 'notes.txt');
    expect((await findDataFiles([join(folder, 'x.npy')])).map(({ name }) => name)).toEqual(['x.npy']);
    await expect(findDataFiles([join(folder, 'notes.txt')])).rejects.toThrow(
      /notes\.txt is no \.npy, \.png or \.jpg file/,
    );
    await expect(findDataFiles([await folderOf('notes.txt')])).rejects.toThrow(/has no \.npy/);
  });

  it('goes into the one input of a model file by file, and no two results have one name', async () => {
    expect(await samplesOf(['x.npy', 'x.png', 'd/x.npy', 'X-2.npy'], ports('in'))).toEqual([
      ['X-2', { in: 'X-2.npy' }],
      ['d/x', { in: 'd/x.npy' }],
      ['x', { in: 'x.npy' }],
      ['x-3', { in: 'x.png' }],
    ]);
  });

  it('goes into several inputs by their names, in one set or in folders of sets', async () => {
    const inputs = ports('image', 'a/b:mask');
    expect(await samplesOf(['image.npy', 'a_b_mask.npy'], inputs)).toEqual([
      ['result', { image: 'image.npy', 'a/b:mask': 'a_b_mask.npy' }],
    ]);
    expect(await samplesOf(['1/image.npy', '1/a_b_mask.npy', '2/image.png', '2/a_b_mask.npy'], inputs)).toEqual([
      ['1', { image: '1/image.npy', 'a/b:mask': '1/a_b_mask.npy' }],
      ['2', { image: '2/image.png', 'a/b:mask': '2/a_b_mask.npy' }],
    ]);
  });

  it('that is missing or belongs to no input is named', async () => {
    const inputs = ports('image', 'mask');
    await expect(samplesOf(['image.npy'], inputs)).rejects.toThrow(
      'The model has 2 inputs, and mask.npy is missing. Pass one file for each, called image.npy, mask.npy',
    );
    await expect(samplesOf(['image.npy', 'other.npy'], inputs)).rejects.toThrow(/other\.npy belongs to none of them/);
  });
});
