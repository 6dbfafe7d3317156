import type { TensorDifference } from '@model-rtc/formats';
import type { TrainingCurve } from '@model-rtc/formats/layouts';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { inflate } from './inflate.ts';
import { withInspectedModel } from './inspected-model.ts';

/** Looking into a model's files without running any of them. */
export interface Inspection {
  /**
   * Compares the tensors of two models of this machine; those that differ are told as the second one has them.
   * @returns undefined when one of the models has no tensors that this version can list
   * @throws ModelRtcError `source_changed` when a file is not as it was registered, `not_found_locally`, `cancelled`
   */
  compareTensors(first: Digest, second: Digest, signal?: AbortSignal): Promise<TensorDifference | undefined>;
  /**
   * The loss columns of the model's training log; empty when it has none.
   * @throws ModelRtcError `source_changed`, `not_found_locally`
   */
  trainingCurves(digest: Digest): Promise<readonly TrainingCurve[]>;
}

export function createInspection(context: RegistryContext): Inspection {
  return {
    async compareTensors(first, second, signal) {
      const { compareTensors } = await import('@model-rtc/formats');
      return await withInspectedModel(context, first, (a) =>
        withInspectedModel(context, second, (b) =>
          whileWanted(signal, () => compareTensors(a, b, { inflate, signal })),
        ),
      );
    },
    async trainingCurves(digest) {
      const { readTrainingCurves } = await import('@model-rtc/formats/layouts');
      return await withInspectedModel(context, digest, ({ files }) => readTrainingCurves(files));
    },
  };
}

/** What fails because nobody wants it any more is cancelled. */
async function whileWanted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    throw ModelRtcError.because(error, 'cancelled', 'Cancelled.');
  }
}
