import { describe, expect, it } from '@jest/globals';
import { findFlaws } from '@model-rtc/formats/layouts';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { nodeInflate } from '../bytes/node-inflate.ts';
import { sparseReader } from '../bytes/readers.ts';
import { readFixture } from '../chunks/fixtures.ts';
import { u16, u32, u64 } from '../chunks/make-files.ts';
import { type CountedFile, file, makeDcpMetadata, makeLegacyTorch, makeTensorflowIndex } from './make-models.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const HUGE = 2n ** 62n;

async function flawsOf(...files: CountedFile[]): Promise<string[]> {
  return (await findFlaws(files, { inflate: nodeInflate })).map(({ path, kind }) => `${kind} ${path}`);
}

/** A file of 20 GiB with these bytes at its start and at its end, and zeros between. */
function large(path: string, start: Uint8Array, end = new Uint8Array(0)): CountedFile {
  const size = 20 * GIB;
  const pieces = [[0, start] as const, ...(end.length === 0 ? [] : [[size - end.length, end] as const])];
  return file(path, sparseReader(size, pieces));
}

/** The bytes of a legacy file of torch up to its storages. */
function withoutStorages(bytes: Uint8Array, storages: number): Uint8Array {
  return bytes.slice(0, bytes.length - storages);
}

describe('huge counts', () => {
  const legacy = withoutStorages(makeLegacyTorch({ w: 4 }), 8 + 16);
  const zip64End = concatBytes(
    ...[u32(0x06064b50), u64(44), u16(45), u16(45), u32(0), u32(0), u64(HUGE), u64(HUGE), u64(HUGE), u64(0)],
    ...[u32(0x07064b50), u32(0), u64(20 * GIB - 98), u32(1)],
    ...[u32(0x06054b50), u16(0), u16(0), u16(0xffff), u16(0xffff), u32(0xffffffff), u32(0xffffffff), u16(0)],
  );
  const footer = (...numbers: number[]) =>
    concatBytes(Uint8Array.of(...numbers), new Uint8Array(40 - numbers.length), u64(0xdb4775248b80fb57n));

  it.each<[string, CountedFile, number]>([
    ['items of a storage', large('model.pt', concatBytes(legacy, u64(HUGE))), MIB],
    ['bytes of a text', large('model.pkl', concatBytes(Buffer.from('\x80\x04\x8d', 'latin1'), u64(HUGE))), MIB],
    ['entries of an archive', large('model.npz', Buffer.from('PK\x03\x04'), zip64End), 65 * MIB],
    ['bytes of a header', large('model.safetensors', concatBytes(u64(99_999_999), Uint8Array.of(0x7b))), 101 * MIB],
  ])('of %s cost a bounded part of a file that is not taken for whole', async (_what, huge, maxBytes) => {
    expect(await flawsOf(huge)).toHaveLength(1);
    expect(huge.reader.readBytes).toBeLessThan(maxBytes);
  });

  it('of the blocks of an index cost a bounded part of it', async () => {
    const data = file('m.data-00000-of-00001', 'x');
    // The second handle names a block that is far behind the end.
    const behind = footer(0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0x7f);
    expect(await flawsOf(file('m.index', concatBytes(new Uint8Array(100), behind)), data)).toEqual(['damaged m.index']);
    const restarts = concatBytes(u32(0), u32(0xffffffff), new Uint8Array(5));
    const listing = concatBytes(restarts, footer(0, 0, 0, 8));
    expect(await flawsOf(file('m.index', listing), data)).toEqual(['damaged m.index']);
    const huge = large('m.index', new Uint8Array(8), footer(0, 0, 0, 8));
    await flawsOf(huge, data);
    expect(huge.reader.readBytes).toBeLessThan(MIB);
  });

  it('of the tensors of a distributed checkpoint cost a bounded part of its list', async () => {
    const huge = large('.metadata', makeDcpMetadata(['__0_0.distcp', 0, 2 ** 31 - 1]));
    expect(await flawsOf(huge, file('__0_0.distcp', 'x'))).toEqual(['cut_off __0_0.distcp']);
    expect(huge.reader.readBytes).toBeLessThan(130 * MIB);
  });
});

describe('files that other programs wrote', () => {
  const WRITTEN = [
    'tiny-llama/model-00001-of-00002.safetensors',
    'tiny-gguf/tiny-F16.gguf',
    'legacy-rat-2023/best_model.h5',
    'good-mouse-v1/best.ckpt',
    'tiny-onnx/model.onnx',
  ];

  it.each(WRITTEN)('%s is whole, and never when it ends early', async (path) => {
    const bytes = readFixture(path);
    // By itself, without the other shard.
    const name = `model${path.slice(path.lastIndexOf('.'))}`;
    expect(await flawsOf(file(name, bytes))).toEqual([]);
    // Torch archives without their first bytes could be of any kind, and GGUF may end before what fills up its last tensor.
    const size = fc.integer({ min: 4, max: bytes.length - 33 });
    await fc.assert(
      fc.asyncProperty(size, async (end) => {
        expect(await flawsOf(file(name, bytes.slice(0, end)))).toHaveLength(1);
      }),
      { numRuns: runs(200) },
    );
  });
});

it('reads whole indexes alike, whatever is in their names', async () => {
  const name = fc.string({ minLength: 1, maxLength: 30, unit: 'binary-ascii' });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, fc.nat(1000), fc.nat(1000)), { maxLength: 20 }), async (tensors) => {
      const rows = tensors.map(([key, offset, size]) => [key, 0, offset, size] as const);
      const end = rows.reduce((last, [, , offset, size]) => Math.max(last, offset + size), 1);
      const index = file('m.index', makeTensorflowIndex(1, ...rows));
      expect(await flawsOf(index, file('m.data-00000-of-00001', new Uint8Array(end)))).toEqual([]);
      const cut = file('m.data-00000-of-00001', new Uint8Array(Math.max(1, end - 1)));
      expect(await flawsOf(index, cut)).toEqual(end > 1 ? ['cut_off m.data-00000-of-00001'] : []);
    }),
  );
});
