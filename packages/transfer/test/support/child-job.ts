import { makeModel, seededBytes, type TestModel } from './models.ts';

export interface ChildJob {
  readonly staging: string;
  readonly seed: number;
  /** How long the source takes for each chunk. */
  readonly delayMs: number;
}

/** A few files, empty ones, repeated bytes, and chunks that span files. */
export function childModel({ seed }: Pick<ChildJob, 'seed'>): TestModel {
  const block = seededBytes(30_000, seed);
  return makeModel(
    {
      'weights/first.bin': seededBytes(1_000_000, seed + 1),
      empty: Buffer.alloc(0),
      'repeated.bin': Buffer.concat(Array.from({ length: 10 }, () => block)),
      'weights/second.bin': seededBytes(1_234_567, seed + 2),
      'config.json': Buffer.from('{}'),
    },
    [50_000, 30_000, 20_000],
  );
}
