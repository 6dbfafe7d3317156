import { describe, expect, it } from '@jest/globals';
import { compareScalars } from '../../../../src/commands/client/compare-models/scalars.ts';

describe('compareScalars', () => {
  it('marks the lowest loss and the highest accuracy', () => {
    const rows = compareScalars([
      { best_val_loss: 0.2, accuracy: 0.9 },
      { best_val_loss: 0.1, accuracy: 0.8 },
      { best_val_loss: 0.1 },
    ]);
    expect(rows).toEqual([
      { name: 'best_val_loss', values: [0.2, 0.1, 0.1], differs: true, best: [1, 2] },
      { name: 'accuracy', values: [0.9, 0.8, null], differs: true, best: [0] },
    ]);
  });

  it('marks nothing where better cannot be told, all are the same, or only one has a value', () => {
    const rows = compareScalars([
      { epoch: 1, val_loss: 0.5, f1: 0.3, best_model_score: 1 },
      { epoch: 2, val_loss: 0.5, best_model_score: 2 },
    ]);
    expect(rows.map(({ name, best }) => [name, best])).toEqual([
      ['epoch', []],
      ['val_loss', []],
      ['f1', []],
      ['best_model_score', []],
    ]);
  });

  it('finds differences among the models that have a value, and takes texts as they are', () => {
    const rows = compareScalars([{ optimizer: 'Adam', lr: 1 }, { optimizer: 'AdamW', lr: 1 }, { loss: 'mse' }]);
    expect(rows.map(({ name, differs, best }) => [name, differs, best])).toEqual([
      ['optimizer', true, []],
      ['lr', false, []],
      ['loss', false, []],
    ]);
  });

  it('keeps names that objects have of themselves apart', () => {
    const hostile = JSON.parse('{"__proto__": 1, "constructor": 2}') as Record<string, number>;
    const rows = compareScalars([hostile, {}]);
    expect(rows.map(({ values }) => values)).toEqual([
      [1, null],
      [2, null],
    ]);
  });
});
