import { describe, expect, it } from '@jest/globals';
import { findFlaws, recogniseFile } from '@model-rtc/formats/layouts';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { nodeInflate as inflate } from '../bytes/node-inflate.ts';
import { sparseReader } from '../bytes/readers.ts';
import { file } from '../completeness/make-models.ts';
import { memoryFile } from '../layouts/memory-files.ts';
import { LIGHTGBM, XGBOOST_JSON, XGBOOST_UBJSON } from './make-boosters.ts';

/** Each with the size from which on it is known for what it is, and the size from which on it loads. */
const WHOLE: readonly (readonly [path: string, bytes: Uint8Array, known: number, loads: number])[] = [
  ['model.json', XGBOOST_JSON, 14, XGBOOST_JSON.length],
  ['model.ubj', XGBOOST_UBJSON, 18, XGBOOST_UBJSON.length],
  ['model.txt', LIGHTGBM, 16, LIGHTGBM.length - '\n\npandas_categorical:null\n'.length],
];

async function flawsOf(path: string, bytes: Uint8Array) {
  return await findFlaws([file(path, bytes)], { inflate });
}

describe.each(WHOLE)('%s of a booster', (path, bytes, known, loads) => {
  it('is whole as it is', async () => {
    expect(await flawsOf(path, bytes)).toEqual([]);
  });

  it('is not whole when it ends at any byte before its end', async () => {
    const passed: number[] = [];
    for (let size = known; size < loads; size++) {
      if ((await flawsOf(path, bytes.slice(0, size))).length === 0) passed.push(size);
    }
    // What LightGBM writes between its trees and its settings is not needed to load it.
    const between = path === 'model.txt' ? new TextDecoder().decode(bytes).indexOf('end of trees\n') + 13 : loads;
    const settings = path === 'model.txt' ? new TextDecoder().decode(bytes).indexOf('\nparameters:\n') + 13 : loads;
    expect(passed.filter((size) => size < between || size >= settings)).toEqual([]);
  });

  it('neither fails nor is read past its end when bytes of it are others', async () => {
    const change = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const other = Uint8Array.from(bytes);
        for (const [at, value] of changes) other[at] = value;
        expect(Array.isArray(await flawsOf(path, other))).toBe(true);
        for (const name of ['m.pkl', 'm.joblib', 'm.ubj', 'm.bin', 'm.pt']) {
          await recogniseFile(memoryFile(name, other), { inflate });
        }
      }),
      { numRuns: runs(300) },
    );
  });
});

/** Up to the first value in the learner. */
const HEAD = concatBytes(XGBOOST_UBJSON.slice(0, 18), Uint8Array.of(0x55, 1, 0x61));

describe('a booster', () => {
  it('is known by what it holds, and says its objective', async () => {
    const facts = await Promise.all(WHOLE.map(([path, bytes]) => recogniseFile(memoryFile(path, bytes), { inflate })));
    expect(facts).toMatchObject([
      {
        modelType: 'xgboost',
        backbone: 'gbtree',
        hyperparameters: { objective: 'reg:squarederror', num_feature: '2' },
      },
      { modelType: 'xgboost', backbone: 'gbtree', hyperparameters: { objective: 'reg:squarederror' } },
      { modelType: 'lightgbm', hyperparameters: { objective: 'regression', num_feature: '2', num_trees: 1 } },
    ]);
    expect(facts[0]).toMatchObject({ versions: { xgboost_version: '2.0.3' } });
  });

  it('is no text and no JSON that only begins like one', async () => {
    for (const [path, text] of [
      ['notes.txt', 'tree frogs\nversion=v4\n'],
      ['a.json', '{"learner": "nobody"}'],
      ['b.json', '{"version": 2}'],
    ] as const) {
      await expect(recogniseFile(memoryFile(path, text), { inflate })).rejects.toMatchObject({ code: 'bad_argument' });
    }
  });

  it.each([
    ['m.ubj', concatBytes(HEAD, utf8ToBytes('['.repeat(500)))],
    ['m.ubj', concatBytes(HEAD, utf8ToBytes('[$Z#L'), new Uint8Array(8).fill(0x7f))],
    ['m.ubj', concatBytes(HEAD, utf8ToBytes('[#L'), new Uint8Array(8).fill(0x7f))],
    ['m.txt', utf8ToBytes(`tree\nversion=v4\ntree_sizes=${'9'.repeat(400)}\n\n`)],
  ])('with huge counts costs no more than a small part of %s', async (path, start) => {
    const large = file(path, sparseReader(20 * 1024 ** 3, [[0, start]]));
    expect(await findFlaws([large], { inflate })).toHaveLength(1);
    expect(large.reader.readBytes).toBeLessThan(8 * 1024 ** 2);
  });
});
