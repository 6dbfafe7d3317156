import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import fc from 'fast-check';
import { runs } from '../../../test/support/runs.ts';
import { expectFiles } from './support/expectations.ts';
import { makeModel, seededBytes, type TestModel } from './support/models.ts';
import { localModels, nothingLocal, pullModel, temporaryFolder } from './support/pulling.ts';
import { damaged, type MemorySource, memorySource, networkError } from './support/sources.ts';

/** Files from few different blocks, so that chunks repeat, cut so that chunks span files. */
const models = fc
  .record({
    files: fc.array(fc.array(fc.nat(5), { maxLength: 6 }), { minLength: 1, maxLength: 8 }),
    tails: fc.array(fc.nat(40), { minLength: 8, maxLength: 8 }),
    cut: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }),
  })
  .map(({ files, tails, cut }) => {
    const contents = files.map((blocks, i) =>
      Buffer.concat([...blocks.map((seed) => seededBytes(100, seed)), seededBytes(tails[i] ?? 0, 100 + i)]),
    );
    return makeModel(Object.fromEntries(contents.map((bytes, i) => [`f${i % 3}/${i}`, bytes])), cut);
  });

const FAULTS = ['fine', 'fine', 'fine', 'wrong', 'marked', 'cut off', 'left out', 'gone', 'twice', 'unknown'] as const;
type Fault = (typeof FAULTS)[number];

function faultySource(model: TestModel, name: string, faults: readonly Fault[]): MemorySource {
  let sent = 0;
  return memorySource(model, {
    name,
    pieceBytes: 150,
    alter: (chunk, pieces) => {
      const fault = faults[sent++] ?? 'fine';
      switch (fault) {
        case 'fine':
          return pieces;
        case 'wrong':
          return damaged(pieces);
        case 'marked':
          return pieces.map((piece) => ({ ...piece, intact: false }));
        case 'cut off':
          return pieces.slice(0, -1);
        case 'left out':
          return [];
        case 'gone':
          throw networkError();
        case 'twice':
          return [...pieces, ...pieces];
        case 'unknown':
          return [{ index: chunk.index + 1000, offset: 0, bytes: new Uint8Array(3), intact: true }];
      }
    },
  });
}

describe('whatever the model and the faults', () => {
  it('a pull ends with the same bytes or a clear error, and one from an honest source then ends well', async () => {
    const faults = fc.array(fc.constantFrom(...FAULTS), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(
        models,
        fc.array(faults, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (model, lists, reuse) => {
          const staging = await temporaryFolder();
          const sources = lists.map((list, i) => faultySource(model, `source ${i}`, list));
          const base = makeModel({ base: Buffer.concat([seededBytes(100, 1), seededBytes(100, 2)]) }, [100]);
          const local = reuse ? localModels(base) : nothingLocal;
          try {
            const outcome = await pullModel(model, { staging, sources, local });
            await expectFiles(outcome.filesFolder, model);
            await outcome.release();
          } catch (error) {
            if (!(error instanceof ModelRtcError)) throw error;
            expect(['network', 'malformed_message', 'verification_failed']).toContain(error.code);
          }
          const outcome = await pullModel(model, { staging, sources: [memorySource(model)], local });
          await expectFiles(outcome.filesFolder, model);
          await outcome.release();
        },
      ),
      { numRuns: runs(60) },
    );
  }, 120_000);
});
