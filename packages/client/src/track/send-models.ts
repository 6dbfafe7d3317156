import { ModelRtcError } from '@model-rtc/protocol';
import { pushModel } from '../push-model.ts';
import type { RemoteWorker } from '../remote-worker.ts';
import { type SpeedOptions, speedOf } from '../transfer-speed.ts';
import { askWorker } from './ask-worker.ts';
import type { JobModel, TrackOptions } from './types.ts';

type SendOptions = Pick<TrackOptions, 'noPush' | 'signal' | 'onProgress'> & SpeedOptions;

/**
 * Makes sure that the worker has the models, each whole.
 * @throws ModelRtcError `refused` with `noPush` when it lacks one; what `pushModel` throws
 */
export async function sendModels(
  worker: RemoteWorker,
  models: readonly JobModel[],
  options: SendOptions,
): Promise<void> {
  for (const model of models) {
    if (model.namedBy === 'worker') continue;
    const there = await askWorker(worker, options, (peer) =>
      peer.request('check_model_exists', { ref: model.digest }, { signal: options.signal }),
    );
    // What another model's id or alias happens to be is not this content.
    const isThere = there.exists && there.entry?.digest === model.digest;
    if (isThere && there.valid) continue;
    if (options.noPush === true) throw mayNotPush(worker, model, isThere);
    const { signal, onProgress } = options;
    await pushModel(worker, model.digest, {
      ...{ signal, onProgress, ...speedOf(options) },
      ifExists: isThere ? 'overwrite' : 'skip',
      // Its name at the worker does not matter to the job.
      aliasConflict: 'keep',
    });
  }
}

function mayNotPush({ known }: RemoteWorker, { entry }: JobModel, isThere: boolean): ModelRtcError {
  const name = entry.alias ?? entry.id;
  return new ModelRtcError(
    'refused',
    `${known.name} ${isThere ? 'has a damaged copy of' : 'does not have'} "${name}" (${entry.id}), and --no-push forbids sending it. Leave out --no-push, or send it first: model-rtc client push-model ${name}.`,
    { details: { id: entry.id } },
  );
}
