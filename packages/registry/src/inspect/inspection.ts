import type { TensorDifference } from '@model-rtc/formats';
import type { TrainingCurve } from '@model-rtc/formats/layouts';
import type { Digest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { requireModel } from '../entry/resolve.ts';
import type { RegistryEntry } from '../entry/types.ts';
import { readRegistered } from '../files/registered-model.ts';
import type { RegisteredModel } from '../files/types.ts';

/** Looking into a model's files without running any of them. */
export interface Inspection {
  /**
   * Compares the tensors of two models of this machine; those that differ are told as the second one has them.
   * @returns undefined when one of the models has no tensors that this version can list
   * @throws ModelRtcError `source_changed` when a file is not as it was registered, `not_found_locally`, `cancelled`
   */
  compareTensors(first: Digest, second: Digest, signal?: AbortSignal): Promise<TensorDifference | undefined>;
  /**
   * The model, with what it lacks by what its own files say: one that was registered before there was such a check is looked at
   * now. Reads headers alone.
   * @throws ModelRtcError `source_changed` when a file is not as it was registered, `not_found_locally`, `cancelled`
   */
  lookIfWhole(digest: Digest, signal?: AbortSignal): Promise<RegistryEntry>;
  /**
   * The loss columns of the model's training log; empty when it has none.
   * @throws ModelRtcError `source_changed`, `not_found_locally`
   */
  trainingCurves(digest: Digest): Promise<readonly TrainingCurve[]>;
}

export function createInspection(context: RegistryContext): Inspection {
  const registered = async (digest: Digest): Promise<RegisteredModel> =>
    await readRegistered(context, await requireModel(context, digest));
  return {
    async compareTensors(first, second, signal) {
      const models = [await registered(first), await registered(second)] as const;
      return await context.reading.run('compareTensors', models, { signal });
    },
    lookIfWhole: async (digest, signal) =>
      await context.show(await (await import('./look-again.ts')).lookIfWhole(context, digest, signal)),
    trainingCurves: async (digest) => await context.reading.run('trainingCurves', await registered(digest)),
  };
}
