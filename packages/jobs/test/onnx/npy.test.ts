import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { bytesOf, countOf, numbersIn } from '../../src/onnx/dtypes.ts';
import { readNpy } from '../../src/onnx/read-npy.ts';
import type { Dtype, Tensor } from '../../src/onnx/types.ts';
import { npyHeader, writeNpy } from '../../src/onnx/write-npy.ts';

const DTYPES: readonly Dtype[] = [
  ...(['bool', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const),
  ...(['float16', 'float32', 'float64'] as const),
];
let folder = '';
beforeEach(async () => {
  folder = await temporaryFolder();
});
let files = 0;

/** A file with a header of version 1, as a person could write it. */
async function fileOf(header: string, data: Uint8Array = Buffer.alloc(0), version = 1): Promise<string> {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  const path = join(folder, `${++files}.npy`);
  const magic = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1');
  await writeFile(path, Buffer.concat([magic, length, Buffer.from(header, 'latin1'), data]));
  return path;
}

const read = async (header: string, data?: Uint8Array, version?: number): Promise<Tensor> =>
  await readNpy(await fileOf(header, data, version), 'a.npy');

describe('a file of numpy', () => {
  it('is read as it was written, with every type and shape', async () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...DTYPES), shapes, async (dtype, shape) => {
        const bytes = new Uint8Array(countOf(shape) * bytesOf(dtype)).map((_, i) => i * 37);
        const tensor = { dtype, shape, data: numbersIn(dtype, bytes.buffer) };
        const path = join(folder, `${++files}.npy`);
        await writeNpy(path, tensor);
        expect(await readNpy(path, 'a.npy')).toEqual(tensor);
      }),
      { numRuns: runs(50) },
    );
  });

  it('is written byte by byte as numpy does', async () => {
    const input = fileURLToPath(new URL('../../../../test/fixtures/tiny-onnx/input.npy', import.meta.url));
    const path = join(folder, 'copy.npy');
    await writeNpy(path, await readNpy(input, 'input.npy'));
    expect((await readFile(path)).equals(await readFile(input))).toBe(true);
  });

  it('never takes the place of another', async () => {
    const path = join(folder, 'once.npy');
    const tensor: Tensor = { dtype: 'uint8', shape: [1], data: Uint8Array.of(1) };
    await writeNpy(path, tensor);
    await expect(writeNpy(path, tensor)).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it('starts its numbers at a multiple of 64 bytes', () => {
    expect(npyHeader({ dtype: 'float32', shape: Array.from({ length: 32 }, () => 123_456) }).length % 64).toBe(0);
  });

  it('may have its numbers in the other byte order, or in the order of Fortran', async () => {
    const data = Buffer.alloc(12);
    for (const [i, value] of [1, 2, 3, 4, 5, 6].entries()) data.writeInt16BE(value, i * 2);
    const header = (order: string) => `{'descr': '>i2', 'fortran_order': ${order}, 'shape': (2, 3), }\n`;
    expect(Array.from((await read(header('False'), data)).data, Number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(Array.from((await read(header('True'), data)).data, Number)).toEqual([1, 3, 5, 2, 4, 6]);
  });

  it('may be of version 2 and 3, and have a scalar', async () => {
    const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n`;
    for (const version of [1, 2, 3])
      expect(await read(header, Uint8Array.of(7), version)).toEqual({
        dtype: 'uint8',
        shape: [],
        data: Uint8Array.of(7),
      });
  });
});

describe('a hostile file', () => {
  it.each([
    [
      'is cut off',
      `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`,
      /is cut off: \(2, 3\) takes 24 bytes/,
    ],
    [
      'claims more than memory',
      `{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 999999999999), }`,
      /at most 2 GiB/,
    ],
    [
      'has a size that no number holds',
      `{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740993,), }`,
      /shape that cannot be read/,
    ],
    ['has a size below 0', `{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }`, /shape that cannot be read/],
    [
      'has a hundred axes',
      `{'descr': '<f4', 'fortran_order': False, 'shape': (${'1, '.repeat(100)}), }`,
      /shape that cannot be read/,
    ],
    ['has objects, which would be pickles', `{'descr': '|O', 'fortran_order': False, 'shape': (1,), }`, /type "\|O"/],
    ['has fields', `{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }`, /fields with names/],
    ['has complex numbers', `{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }`, /type "<c8"/],
    ['says nothing of its shape', `{'descr': '<f4', 'fortran_order': False, }`, /header that cannot be read/],
    [
      'says something twice',
      `{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (), }`,
      /header that cannot be read/,
    ],
    [
      'has a program for a header',
      `{'descr': __import__('os').system('id'), 'shape': ()}`,
      /header that cannot be read/,
    ],
    ['has nothing in its header', '', /header that cannot be read/],
  ])('that %s is refused with a sentence', async (_, header, message) => {
    await expect(read(header)).rejects.toThrow(message);
  });

  it('with a header of gigabytes is refused before it is read', async () => {
    const path = join(folder, 'long.npy');
    const start = Buffer.from('\x93NUMPY\x02\0', 'latin1');
    await writeFile(path, Buffer.concat([start, Buffer.from([255, 255, 255, 255])]));
    await expect(readNpy(path, 'long.npy')).rejects.toThrow(/header of 4294967295 bytes/);
  });

  it('that is no array, or of a later version, says so', async () => {
    await writeFile(join(folder, 'text.npy'), 'x,y\n1,2\n');
    await expect(readNpy(join(folder, 'text.npy'), 'text.npy')).rejects.toThrow(/is no \.npy file/);
    await expect(read('{}', undefined, 9)).rejects.toThrow(/version 9/);
  });

  it('of random bytes never does anything but throw a sentence', async () => {
    const magic = Buffer.from('\x93NUMPY\x01\0', 'latin1');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, hasMagic) => {
        const path = join(folder, 'random.npy');
        await writeFile(path, hasMagic ? Buffer.concat([magic, bytes]) : bytes);
        await readNpy(path, 'random.npy').catch((error: Error) => expect(error.name).toBe('OnnxRunError'));
      }),
      { numRuns: runs(200) },
    );
  });
});
