import { describe, expect, it } from '@jest/globals';
import { type Flaw, findFlaws } from '@model-rtc/formats/layouts';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { nodeInflate } from '../bytes/node-inflate.ts';
import { sparseReader } from '../bytes/readers.ts';
import { filled, ggufText, makeGguf, makeSafetensors, makeZip, u32, u64 } from '../chunks/make-files.ts';
import { file, lfsPointer, makeHdf5, makeLegacyTorch, makeMlmodel, makeOnnx, plainTensor } from './make-models.ts';

const TENSORS = [
  { name: 'a', bytes: filled(300, 1) },
  { name: 'b', bytes: filled(70, 2) },
];
const ZIP = makeZip([
  { name: 'archive/data.pkl', bytes: filled(90, 1) },
  { name: 'archive/data/0', bytes: filled(400, 2) },
]);

/** A whole file of each format that says how long it is. */
const WHOLE: readonly (readonly [string, Uint8Array])[] = [
  ['model.safetensors', makeSafetensors(TENSORS, { format: 'pt' })],
  ['model.gguf', makeGguf(TENSORS, { 'general.architecture': [8, ggufText('llama')] })],
  ['model.pt', ZIP],
  ['model.keras', ZIP],
  ['model.npz', ZIP],
  ['model.h5', makeHdf5(900)],
  ['v1.h5', makeHdf5(900, 1)],
  ['v2.hdf5', makeHdf5(900, 2)],
  ['v3.h5', makeHdf5(900, 3)],
  ['model.mlmodel', makeMlmodel()],
  ['model.onnx', makeOnnx(plainTensor(filled(400, 3)), plainTensor(filled(20, 4)))],
];

async function flawsOf(path: string, bytes: Uint8Array): Promise<Flaw[]> {
  return await findFlaws([file(path, bytes)], { inflate: nodeInflate });
}

describe.each(WHOLE)('%s', (path, bytes) => {
  it('is whole as it is', async () => {
    expect(await flawsOf(path, bytes)).toEqual([]);
  });

  // A torch file without its first bytes could be of any kind; all others are known by their names.
  const first = path.endsWith('.pt') ? 4 : 0;

  it('is not whole when it ends at any byte before its end', async () => {
    const passed: number[] = [];
    for (let size = first; size < bytes.length; size++) {
      if ((await flawsOf(path, bytes.slice(0, size))).length === 0) passed.push(size);
    }
    // The last tensor of a GGUF file may be written without what fills it up to the alignment.
    const padding = path.endsWith('.gguf') ? 32 : 0;
    expect(passed.filter((size) => size <= bytes.length - padding)).toEqual([]);
  });

  it('is not whole with bytes behind its end', async () => {
    for (const more of [1, 7, 4096]) {
      expect(await flawsOf(path, concatBytes(bytes, new Uint8Array(more)))).toHaveLength(1);
    }
  });

  it('neither fails nor is read past its end when bytes of it are others', async () => {
    const change = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const other = Uint8Array.from(bytes);
        for (const [at, value] of changes) other[at] = value;
        expect(Array.isArray(await flawsOf(path, other))).toBe(true);
      }),
      { numRuns: runs(300) },
    );
  });

  it('is never whole as random bytes', async () => {
    const random = fc.uint8Array({ minLength: 1, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(random, async (content) => {
        const flaws = await flawsOf(path, content);
        if (first === 0) expect(flaws).toHaveLength(1);
      }),
      { numRuns: runs(300) },
    );
  });
});

describe('a file of the old format of torch', () => {
  const bytes = makeLegacyTorch({ 'layer.weight': 30, 'layer.bias': 5 });

  it('is whole as it is, and not when it ends at any byte before its end', async () => {
    for (const path of ['model.pt', 'pytorch_model.bin', 'model.pth']) expect(await flawsOf(path, bytes)).toEqual([]);
    // The first three bytes could begin any pickle.
    for (let size = 4; size < bytes.length; size++) {
      expect(await flawsOf('model.pt', bytes.slice(0, size))).toMatchObject([{ kind: 'cut_off' }]);
    }
  });

  it('neither fails nor is read past its end when bytes of it are others', async () => {
    const change = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const other = Uint8Array.from(bytes);
        for (const [at, value] of changes) other[at] = value;
        expect(Array.isArray(await flawsOf('model.pt', other))).toBe(true);
      }),
      { numRuns: runs(500) },
    );
  });
});

describe('a plain pickle', () => {
  const bytes = Buffer.from('\x80\x04\x95\x0e\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94K\x01\x8c\x01bK\x02u.', 'latin1');

  it('is not whole without its end', async () => {
    expect(await flawsOf('model.pkl', bytes)).toEqual([]);
    for (let size = 2; size < bytes.length; size++) {
      expect(await flawsOf('model.joblib', bytes.subarray(0, size))).toHaveLength(1);
    }
  });
});

describe('a safetensors file whose header is too long to be parsed', () => {
  const entries = Array.from({ length: 100_000 }, (_, i) => {
    const name = `model.layers.${i}.mlp.experts.gate_proj.weight_that_has_a_long_name_so_that_the_header_grows`;
    return `"${name}":{"dtype":"U8","shape":[2],"data_offsets":[${2 * i},${2 * i + 2}]}`;
  });
  const note = '"__metadata__":{"a":"\\"data_offsets\\":[0,999999999]"}';
  const header = Buffer.from(`{${note},${entries.join(',')}}`);
  const start = concatBytes(u64(header.length), header);

  it('is judged by where its last tensor ends', async () => {
    expect(header.length).toBeGreaterThan(8 * 1024 ** 2);
    for (const [more, kinds] of [
      [0, []],
      [-1, ['cut_off']],
      [1, ['too_long']],
    ] as const) {
      const large = file('model.safetensors', sparseReader(start.length + 200_000 + more, [[0, start]]));
      expect((await findFlaws([large], { inflate: nodeInflate })).map(({ kind }) => kind)).toEqual(kinds);
      expect(large.reader.readBytes).toBeLessThan(1.1 * start.length);
    }
  });

  it('is broken when it is longer than the format allows, or names no tensor', async () => {
    const longer = concatBytes(u64(100_000_001), Uint8Array.of(0x7b));
    const empty = concatBytes(u64(20_000_000), Uint8Array.of(0x7b));
    for (const head of [longer, empty]) {
      const large = file('model.safetensors', sparseReader(1024 ** 3, [[0, head]]));
      expect(await findFlaws([large], { inflate: nodeInflate })).toMatchObject([{ kind: 'damaged' }]);
    }
  });
});

describe('a file that is not whole', () => {
  it.each([
    ['model.safetensors', 'is cut off: it has 400 bytes of 523 bytes'],
    ['model.h5', 'is cut off: it has 400 bytes of 900 bytes'],
  ])('says how many bytes %s has and needs', async (path, problem) => {
    const bytes = WHOLE.find(([name]) => name === path)?.[1] as Uint8Array;
    expect(await flawsOf(path, bytes.slice(0, 400))).toEqual([{ kind: 'cut_off', path, problem }]);
  });

  it('is a Git LFS pointer under any name and in any folder', async () => {
    for (const path of ['model.safetensors', 'onnx/model.onnx_data', 'spiece.model', 'a/b/c']) {
      const [flaw] = await findFlaws([file(path, lfsPointer(4_920_000_000))], { inflate: nodeInflate });
      expect(flaw).toMatchObject({ kind: 'not_downloaded', path });
      expect(flaw?.problem).toContain('4.9 GB (4,920,000,000 bytes)');
      expect(flaw?.problem).toContain('git lfs pull');
    }
  });

  it('is no pointer when it only talks of one', async () => {
    const text = `To clone, install git-lfs.\n${lfsPointer(12)}`;
    expect(await findFlaws([file('README.md', text)], { inflate: nodeInflate })).toEqual([]);
  });

  it('is empty where weights should be, and may be empty where they should not', async () => {
    const files = [file('model.bin', ''), file('__init__.py', '')];
    expect(await findFlaws(files, { inflate: nodeInflate })).toEqual([
      { kind: 'empty', path: 'model.bin', problem: 'is empty: it has 0 bytes' },
    ]);
  });
});

describe('a file with huge numbers in its header', () => {
  const GIB = 1024 ** 3;
  it.each([
    ['model.safetensors', concatBytes(u64(2n ** 63n), Uint8Array.of(0x7b))],
    ['model.safetensors', concatBytes(u64(4 * GIB), Uint8Array.of(0x7b))],
    ['model.gguf', concatBytes(Buffer.from('GGUF'), u32(3), u64(2n ** 64n - 1n), u64(2n ** 64n - 1n))],
    ['model.gguf', concatBytes(Buffer.from('GGUF'), u32(3), u64(1000), u64(2 ** 31))],
    ['model.h5', makeHdf5(100).slice(0, 40)],
    ['model.onnx', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)],
  ])('costs no more than a small part of %s', async (path, start) => {
    const large = file(path, sparseReader(20 * GIB, [[0, start]]));
    expect(Array.isArray(await findFlaws([large], { inflate: nodeInflate }))).toBe(true);
    expect(large.reader.readBytes).toBeLessThan(2 * 1024 ** 2);
  });

  it('reads next to nothing of a large ONNX file', async () => {
    const length = 5 * GIB;
    const [before, after] = [Uint8Array.of(0x08, 0x08), Uint8Array.of(0x42, 0x02, 0x10, 0x11)];
    const graph = Uint8Array.of(0x3a, 0x80, 0x80, 0x80, 0x80, 0x14);
    const size = before.length + graph.length + length + after.length;
    const pieces = [[0, concatBytes(before, graph)] as const, [size - after.length, after] as const];
    const large = file('model.onnx', sparseReader(size, pieces));
    await findFlaws([large], { inflate: nodeInflate });
    expect(large.reader.readBytes).toBeLessThan(1024 ** 2);
  });
});
