import { describe, expect, it } from '@jest/globals';
import { MODEL_SOURCES, MODEL_STATUSES } from '@model-rtc/protocol';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { storedEntrySchema } from '../../src/entry/types.ts';
import { isStoredEntry } from '../../src/store/entry-check.ts';

const settled = {
  id: '4f1c22ab',
  digest: 'ab'.repeat(32),
  modelType: 'centroid',
  framework: 'sleap-nn',
  alias: 'good-mouse-v1',
  name: 'The good mouse',
  source: 'local-import',
  status: 'completed',
  createdAt: '2026-02-28T23:59:59.999Z',
  importedAt: '2026-11-21T00:00:00.000Z',
  size: 12,
  fileCount: 1,
  checkpointPath: 'best.ckpt',
  metrics: { best_val_loss: 0.5, note: null },
  hyperparameters: { optimizer: 'Adam', augment: true },
  versions: {},
  tags: ['mouse'],
  notes: '',
  codeFiles: [{ path: 'best.ckpt', suspicious: ['os.system'] }],
  folder: 'centroid_4f1c22ab',
  linked: false,
  originalPath: '/runs/1',
  aliasSince: '2026-11-21T00:00:00.000Z',
  formerAliases: [],
} as const;

/** Values of every kind, those that some field takes among them. */
const anything = fc.oneof(
  fc.anything(),
  fc.constantFrom<unknown>(...MODEL_SOURCES, ...MODEL_STATUSES, ...Object.values(settled)),
  fc.constantFrom<unknown>(
    '',
    'all',
    '12345678',
    'a'.repeat(65),
    'a'.repeat(5000),
    '../x_y',
    'é_1',
    -1,
    0.5,
    2 ** 53,
    Number.NaN,
  ),
  fc.constantFrom<unknown>(
    '2026-02-29T00:00:00.000Z',
    '2024-02-29T00:00:00Z',
    '2026-13-01T00:00:00.000Z',
    'ab'.repeat(31),
  ),
  fc.constantFrom<unknown>(
    [{ path: 'a', suspicious: [], more: 1 }],
    [{ path: 'a', suspicious: [], unexamined: true }],
    [{ path: 'a', suspicious: [], unexamined: false }],
    [{ path: 'a' }],
    ['a'.repeat(65)],
    [''],
    {
      a: {},
    },
  ),
);

describe('isStoredEntry', () => {
  it('knows an ordinary entry, and each field of it may go that need not be there', () => {
    expect(isStoredEntry(settled)).toBe(true);
    for (const field of Object.keys(settled)) {
      const { [field as 'id']: _, ...rest } = settled;
      const parsed = storedEntrySchema.safeParse(rest);
      const isAsItWas = parsed.success && Object.keys(parsed.data).length === Object.keys(rest).length;
      expect([field, isStoredEntry(rest)]).toEqual([field, isAsItWas]);
    }
  });

  it('never takes what the schema refuses or changes', () => {
    const field = fc.oneof(fc.constantFrom(...Object.keys(storedEntrySchema.shape)), fc.string());
    fc.assert(
      fc.property(fc.array(fc.tuple(field, anything), { maxLength: 3 }), (changes) => {
        const entry: unknown = { ...settled, ...Object.fromEntries(changes) };
        if (!isStoredEntry(entry)) return;
        expect(storedEntrySchema.parse(entry)).toEqual(entry);
      }),
      { numRuns: runs(5000) },
    );
  });

  it('takes no value that is no object', () => {
    for (const value of [undefined, null, 'x', 1, [], [settled]]) expect(isStoredEntry(value)).toBe(false);
  });
});
