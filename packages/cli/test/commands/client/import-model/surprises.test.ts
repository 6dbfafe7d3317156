import { describe, expect, it } from '@jest/globals';
import type { Alias, Digest } from '@model-rtc/protocol';
import { surprises } from '../../../../src/commands/client/import-model/bring-in.ts';

const entry = { id: '4f1c22ab', alias: 'm-2' as Alias, modelType: 'llama', digest: 'd' as Digest };
const imported = { outcome: 'imported' as const, suggestedAlias: 'm' as Alias, entry };
const nothing = { alias: undefined, modelType: undefined };

describe('what an import did otherwise than one would expect', () => {
  it('is nothing when it did as it was told', () => {
    expect(surprises({ ...imported, suggestedAlias: 'm-2' as Alias }, nothing)).toEqual([]);
    expect(surprises({ ...imported, outcome: 'already_there' }, { ...nothing, modelType: 'llama' })).toEqual([]);
  });

  it('names the alias that was taken', () => {
    expect(surprises(imported, nothing)).toEqual(['The alias "m" is taken, so this model is "m-2".']);
  });

  it('names the type and the alias that a model which is there did not get', () => {
    const texts = surprises({ ...imported, outcome: 'already_there' }, { alias: 'two', modelType: 'foo' });
    expect(texts).toEqual([
      expect.stringContaining('tag-model 4f1c22ab two'),
      expect.stringContaining('--model-type changes nothing'),
    ]);
  });

  it('says why an id is longer', () => {
    const texts = surprises({ ...imported, entry: { ...entry, id: '4f1c22ab0' } }, { ...nothing, alias: 'm-2' });
    expect(texts).toEqual([expect.stringMatching(/9 characters/)]);
  });
});
