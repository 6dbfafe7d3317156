import type { ModelContents } from '@model-rtc/protocol';
import { hubContents } from './contents.ts';
import { contentsOf, makeModel, seededBytes, type TestModel } from './models.ts';

export interface ChildJob {
  readonly staging: string;
  readonly seed: number;
  /** The source sends so many chunks and then no more, so that the process waits there to be killed. */
  readonly serveOnly?: number | undefined;
  /** Only hashes of files are known, as a hub has them. */
  readonly isHub?: boolean | undefined;
}

/** What the child knows of its model. */
export function childContents(job: Pick<ChildJob, 'seed' | 'isHub'>): ModelContents {
  const model = childModel(job);
  return job.isHub ? hubContents(model, 100_000) : contentsOf(model);
}

/** A few files, empty ones, repeated bytes, and chunks that span files. */
export function childModel({ seed }: Pick<ChildJob, 'seed'>): TestModel {
  const block = seededBytes(100_000, seed);
  return makeModel(
    {
      'weights/first.bin': seededBytes(1_000_000, seed + 1),
      empty: Buffer.alloc(0),
      'repeated.bin': Buffer.concat(Array.from({ length: 4 }, () => block)),
      'weights/second.bin': seededBytes(1_234_567, seed + 2),
      'config.json': Buffer.from('{}'),
    },
    [50_000, 30_000, 20_000],
  );
}
