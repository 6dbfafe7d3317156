import type { TensorDifference } from '@model-rtc/formats';
import type { TrainingCurve } from '@model-rtc/formats/layouts';
import type { Availability, RegistryEntry } from '@model-rtc/registry';
import type { ScalarRow } from './scalars.ts';

/** One of the models that are compared. */
export interface ComparedModel {
  readonly entry: RegistryEntry;
  readonly availability: readonly Availability[];
  readonly curves: readonly TrainingCurve[];
}

/** How the tensors of a model differ from those of the first one. */
export interface ComparedTensors {
  /** Ids. */
  readonly first: string;
  readonly second: string;
  /** Null when one of the two has no tensors that can be listed, or when they could not be compared. */
  readonly difference: TensorDifference | null;
  /** Why they could not be compared. */
  readonly problem?: string | undefined;
}

export interface Comparison {
  readonly models: readonly ComparedModel[];
  readonly metrics: readonly ScalarRow[];
  readonly hyperparameters: readonly ScalarRow[];
  readonly tensors: readonly ComparedTensors[];
}
