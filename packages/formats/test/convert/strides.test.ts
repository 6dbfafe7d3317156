import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { readTensors } from '../../../../test/support/safetensors-reader.ts';
import { stateDict, type TensorToPickle, torchLegacy, torchZip } from '../../../../test/support/torch-maker.ts';
import { convertBytes } from './read-converted.ts';

const TYPES: readonly (readonly [type: string, dtype: string, bytes: number, part: number])[] = [
  ['FloatStorage', 'F32', 4, 4],
  ['BFloat16Storage', 'BF16', 2, 2],
  ['LongStorage', 'I64', 8, 8],
  ['BoolStorage', 'BOOL', 1, 1],
  ['ComplexFloatStorage', 'C64', 8, 4],
  ['torch.float8_e5m2', 'F8_E5M2', 1, 1],
  ['torch.uint16', 'U16', 2, 2],
  ['torch.float64', 'F64', 8, 8],
];

interface Drawn {
  readonly type: (typeof TYPES)[number];
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

const drawn: fc.Arbitrary<Drawn> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 40 })), { maxLength: 5 })
  .chain((sides) =>
    fc.record({
      type: fc.constantFrom(...TYPES),
      offset: fc.integer({ min: 0, max: 20 }),
      shape: fc.constant(sides.map(([count]) => count)),
      stride: fc.constant(sides.map(([, step]) => step)),
    }),
  );

/** Item by item, as the definition of a strided tensor has it. */
function itemsInOrder({ type: [, , itemBytes], offset, shape, stride }: Drawn, storage: Buffer): Buffer {
  const items: Buffer[] = [];
  const visit = (at: number, side: number): void => {
    if (side === shape.length) items.push(storage.subarray(at * itemBytes, (at + 1) * itemBytes));
    else for (let i = 0; i < (shape[side] as number); i++) visit(at + i * (stride[side] as number), side + 1);
  };
  visit(offset, 0);
  return Buffer.concat(items);
}

function storageFor({ type: [, , itemBytes], offset, shape, stride }: Drawn, seed: number): Buffer {
  const items = shape.reduce((span, count, i) => span + (count - 1) * (stride[i] as number), offset + 1);
  return Buffer.from(Uint8Array.from({ length: Math.max(1, items) * itemBytes }, (_, i) => (i * 37 + seed) & 0xff));
}

function toPickle(tensors: readonly Drawn[]): TensorToPickle[] {
  return tensors.map(({ type: [type], ...view }, i) => ({ ...view, type, name: `t${i}`, key: `${i}` }));
}

describe('a tensor of any strides', () => {
  it.each([64, 1000, 1 << 20])('has its items in order, in blocks of %d bytes', async (blockBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(drawn, { minLength: 1, maxLength: 4 }), fc.nat(255), async (tensors, seed) => {
        const storages = tensors.map((one) => storageFor(one, seed));
        const file = torchZip(stateDict(toPickle(tensors)), Object.fromEntries(storages.entries()));
        const converted = await convertBytes(file, { blockBytes });
        expect(readTensors(converted?.file ?? Buffer.alloc(0)).tensors).toEqual(
          Object.fromEntries(
            tensors.map((one, i) => [
              `t${i}`,
              [one.type[1], one.shape, itemsInOrder(one, storages[i] as Buffer).toString('hex')],
            ]),
          ),
        );
      }),
      { numRuns: runs(200) },
    );
  });

  it('has its numbers turned around when they were written on a big-endian machine', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async (one) => {
        const storage = storageFor(one, 3);
        const file = torchZip(stateDict(toPickle([one])), { 0: storage }, { byteorder: Buffer.from('big') });
        const { tensors } = readTensors((await convertBytes(file, { blockBytes: 64 }))?.file ?? Buffer.alloc(0));
        const turned = itemsInOrder(one, storage);
        const width = one.type[3];
        for (let at = 0; at < turned.length; at += width) turned.subarray(at, at + width).reverse();
        expect(tensors.t0?.[2]).toBe(turned.toString('hex'));
      }),
      { numRuns: runs(100) },
    );
  });

  it('is gathered piece by piece when its items are far apart', async () => {
    const storage = Buffer.from(Uint8Array.from({ length: 4_000_000 }, (_, i) => (i * 7) & 0xff));
    const one: Drawn = {
      type: ['ByteStorage', 'U8', 1, 1],
      offset: 5,
      shape: [3, 2, 4],
      stride: [7, 3_000_000, 100_000],
    };
    const converted = await convertBytes(torchZip(stateDict(toPickle([one])), { 0: storage }));
    expect(readTensors(converted?.file ?? Buffer.alloc(0)).tensors.t0?.[2]).toBe(
      itemsInOrder(one, storage).toString('hex'),
    );
  });

  it('is read from the format before torch 1.6, from a storage that views another one too', async () => {
    const one: Drawn = { type: ['FloatStorage', 'F32', 4, 4], offset: 1, shape: [2, 3], stride: [1, 2] };
    const storage = storageFor(one, 9);
    const file = torchLegacy(stateDict(toPickle([one])), { 0: [storage.length / 4, storage] });
    expect(readTensors((await convertBytes(file))?.file ?? Buffer.alloc(0)).tensors.t0?.[2]).toBe(
      itemsInOrder(one, storage).toString('hex'),
    );
  });
});
