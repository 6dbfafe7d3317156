import { type Baseline, firstLine } from './baseline.ts';

/** How much is done: the sizes of issue and docs, or small ones that only show that everything runs. */
export interface Scale {
  readonly quick: boolean;
}

/** What a row has to reach. A ratio is value divided by baseline. */
export interface Requirement {
  readonly of: 'value' | 'ratio';
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One measured thing: the medians of its samples. */
export interface Row {
  readonly what: string;
  /** Undefined when it could not be measured. */
  readonly value?: number;
  readonly unit: string;
  /** The same without model-rtc, measured in the same run. */
  readonly baseline?: number;
  readonly ratio?: number;
  /** What failed, the measuring itself or its baseline. */
  readonly failed?: string;
  readonly required?: Requirement;
  /** Every measurement, in the order in which it was made. */
  readonly samples: readonly number[];
  readonly baselineSamples?: readonly number[];
}

export interface Benchmark {
  readonly name: string;
  /** What is measured, in a sentence. */
  readonly title: string;
  run(scale: Scale, say: (text: string) => void): Promise<Row[]>;
}

/** What a row stands beside. A `Baseline` is one: what it runs has a time limit and takes no row with it when it fails. */
type Beside = Pick<Baseline, 'samples' | 'failed'>;

type Measured = Pick<Row, 'what' | 'unit' | 'samples'> & { readonly beside: Beside };

/** The middle one of the values, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('No value has no median');
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] as number;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] as number;
  return (lower + upper) / 2;
}

/**
 * A row of something that is beside a baseline. Each repeat measures both, one after the other, so the ratio is the median
 * of the repeats' own ratios: what a machine that slows down meanwhile does to both is no part of it.
 */
export function ratioRow({ atLeast, ...row }: Measured & { readonly atLeast: number }): Row {
  const beside = row.beside.samples;
  const required = besideRow({ ...row, required: { of: 'ratio', atLeast } });
  if (row.beside.failed !== undefined) return required;
  if (row.samples.length !== beside.length) throw new Error('Each sample needs a baseline of its own');
  return { ...required, ratio: median(row.samples.map((sample, i) => sample / (beside[i] as number))) };
}

/** A row of something that has a bound of its own. */
export function boundRow(row: Pick<Row, 'what' | 'unit' | 'samples'> & { atMost: number }): Row {
  const { atMost, ...rest } = row;
  return { ...rest, value: median(row.samples), required: { of: 'value', atMost } };
}

/** A row that has to reach something of its own, or nothing, beside what the same costs or gives without model-rtc. */
export function besideRow({ beside, ...row }: Measured & { readonly required?: Requirement }): Row {
  const value = median(row.samples);
  const measured = { ...row, value, baselineSamples: beside.samples };
  if (beside.failed !== undefined) return { ...measured, failed: beside.failed };
  const baseline = median(beside.samples);
  return { ...measured, baseline, ratio: value / baseline };
}

/** The rows, or one that says why there are none: what fails does not take what was measured before with it. */
export async function rowsOrFailure(what: string, measure: () => Promise<Row[]>): Promise<Row[]> {
  try {
    return await measure();
  } catch (error) {
    return [{ what, unit: '', samples: [], failed: firstLine(error) }];
  }
}

/** Whether a row reaches what it has to; undefined when nothing is required of it. */
export function reaches({ required, value, ratio }: Row): boolean | undefined {
  if (required === undefined) return undefined;
  const measured = required.of === 'ratio' ? ratio : value;
  if (measured === undefined) return false;
  return (
    measured >= (required.atLeast ?? Number.NEGATIVE_INFINITY) &&
    measured <= (required.atMost ?? Number.POSITIVE_INFINITY)
  );
}
