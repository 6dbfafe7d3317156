import type { Digest } from '@model-rtc/protocol';
import type { RegistryContext } from '../registry-context.ts';

export interface TensorSummary {
  /** The file that holds it, inside the model. */
  readonly file: string;
  readonly name: string;
  /** As its file format calls it, such as `BF16`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface TensorDifference {
  readonly same: { readonly count: number; readonly bytes: number };
  readonly changed: readonly TensorSummary[];
  readonly onlyInFirst: readonly TensorSummary[];
  readonly onlyInSecond: readonly TensorSummary[];
}

/** One column of a training log over its rows; null where a row has no number. */
export interface TrainingCurve {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** Looking into a model's files without running any of them. */
export interface Inspection {
  /** Undefined when one of them has no tensors that this version can list. @throws ModelRtcError `source_changed` */
  compareTensors(first: Digest, second: Digest, signal?: AbortSignal): Promise<TensorDifference | undefined>;
  /** The loss columns of the model's training log; empty when it has none. */
  trainingCurves(digest: Digest): Promise<readonly TrainingCurve[]>;
}

export function createInspection(_context: RegistryContext): Inspection {
  return {} as Inspection; // BEING BUILT
}
