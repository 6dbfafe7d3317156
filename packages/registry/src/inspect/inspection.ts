import type { ComparableFile, ComparableModel, TensorDifference } from '@model-rtc/formats';
import type { TrainingCurve } from '@model-rtc/formats/layouts';
import { type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { requireModel } from '../entry/resolve.ts';
import { openModelFiles } from '../files/model-files.ts';
import { readRegistered } from '../files/registered-model.ts';
import { inflate } from './inflate.ts';

/** Looking into a model's files without running any of them. */
export interface Inspection {
  /**
   * Compares the tensors of two models of this machine. Those that differ are listed as the second one has them.
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

/** A failure after the signal aborted means that the work was cancelled. */
async function whileWanted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    throw ModelRtcError.because(error, 'cancelled', 'Cancelled.');
  }
}

/**
 * Does the work with a registered model's files, and closes them after it. Reading them throws ModelRtcError `source_changed`.
 * @throws ModelRtcError `not_found_locally`; `storage` when its notes are damaged
 */
async function withInspectedModel<T>(
  context: RegistryContext,
  digest: Digest,
  work: (model: ComparableModel) => Promise<T>,
): Promise<T> {
  const { place, manifest, stats } = await readRegistered(context, await requireModel(context, digest));
  const opened = openModelFiles(place, stats);
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    if (length > 0) await opened.read(offset, bytes);
    return bytes;
  };
  try {
    return await work({ manifest, files: filesOf(manifest, read), read });
  } finally {
    await opened.close();
  }
}

function filesOf({ files }: Manifest, read: ComparableModel['read']): ComparableFile[] {
  let start = 0;
  return files.map(({ path, size }) => {
    const begin = start;
    start += size;
    return { path, start: begin, size, read: (offset, length) => read(begin + offset, length) };
  });
}
