import { lstat } from 'node:fs/promises';
import { type Digest, type ModelEntry, ModelRtcError, type Result, unlessFails } from '@model-rtc/protocol';
import type { RegistryEntry } from '@model-rtc/registry';
import { finalDigest } from '../pull-model.ts';
import { freshEntry } from '../push-model.ts';
import type { RemoteWorker } from '../remote-worker.ts';
import { askWorker } from './ask-worker.ts';
import type { JobModel, TrackOptions } from './types.ts';

type FindOptions = Pick<TrackOptions, 'remote' | 'signal' | 'onProgress'>;

/**
 * The model that a reference names: this machine's, since that is what the person who types it sees; else one at a path, which is
 * imported; else the worker's.
 *
 * @throws ModelRtcError `not_found` when neither side knows it, or, with `remote`, when the worker does not
 */
export async function findJobModel(worker: RemoteWorker, ref: string, options: FindOptions): Promise<JobModel> {
  if (options.remote === true) return named(await atWorker(worker, ref, options), 'worker');
  const here = (await findHere(worker, ref)) ?? (await importFrom(worker, ref, options));
  if (here === undefined)
    return named(await atWorker(worker, ref, options).catch(explainUnknown(worker, ref)), 'worker');
  const entry = await freshEntry(worker.registry, here.entry, options);
  const otherThere =
    here.namedBy === 'here' ? await otherAtWorker(worker, ref, finalDigest(entry, 'push'), options) : undefined;
  return { ...named(entry, here.namedBy), otherThere };
}

function named(entry: ModelEntry, namedBy: JobModel['namedBy']): JobModel {
  if (entry.digest !== undefined) return { entry, digest: entry.digest, namedBy };
  const name = entry.alias ?? entry.id;
  const isInterrupted = entry.status === 'interrupted';
  throw new ModelRtcError(
    isInterrupted ? 'bad_argument' : 'busy',
    isInterrupted
      ? `"${name}" is an interrupted training. Resume it: model-rtc track --resume ${entry.id}.`
      : `"${name}" is still training. Wait until it is done, then run it.`,
    { details: { id: entry.id } },
  );
}

interface FoundHere {
  readonly entry: RegistryEntry;
  readonly namedBy: 'here' | 'import';
}

async function findHere({ registry }: RemoteWorker, ref: string): Promise<FoundHere | undefined> {
  const found = await unlessFails(registry.resolve(ref), 'not_found_locally');
  return found && { entry: found.entry, namedBy: 'here' };
}

/** Registers what is at a path of this machine, with links to the files where they are. */
async function importFrom(
  { registry }: RemoteWorker,
  ref: string,
  { signal, onProgress }: FindOptions,
): Promise<FoundHere | undefined> {
  if ((await lstat(ref).catch(() => undefined)) === undefined) return undefined;
  const bring = (await registry.isArchive(ref)) ? registry.importArchive : registry.importModel;
  const { entry } = await bring(ref, {
    signal,
    onProgress: (progress) => onProgress?.({ type: 'local', ...progress }),
  });
  return { entry, namedBy: 'import' };
}

/** @throws ModelRtcError `not_found` */
async function atWorker(worker: RemoteWorker, ref: string, options: FindOptions): Promise<ModelEntry> {
  if (/[/\\]/.test(ref) && options.remote === true && (await lstat(ref).catch(() => undefined)) !== undefined) {
    throw new ModelRtcError(
      'bad_argument',
      `"${ref}" is a path on this machine, and --remote takes the worker's own models. Leave out --remote to send it, or name the worker's model by its id or alias.`,
    );
  }
  return (await infoAtWorker(worker, ref, options)).entry;
}

async function infoAtWorker(
  worker: RemoteWorker,
  ref: string,
  { signal, onProgress }: FindOptions,
): Promise<Result<'get_model_info'>> {
  return await askWorker(worker, { signal, onProgress }, (peer) => peer.request('get_model_info', { ref }, { signal }));
}

/** The worker's other model of the same name, in case the user meant that one. A failed lookup does not matter. */
async function otherAtWorker(
  worker: RemoteWorker,
  ref: string,
  digest: Digest,
  options: FindOptions,
): Promise<string | undefined> {
  // The worker must not learn paths of this machine.
  if (/[/\\]/.test(ref)) return undefined;
  const found = await unlessFails(infoAtWorker(worker, ref, options), 'not_found', 'ambiguous');
  return found?.resolvedBy === 'alias' && found.entry.digest !== digest ? found.entry.id : undefined;
}

function explainUnknown({ known }: RemoteWorker, ref: string): (error: unknown) => never {
  return (error) => {
    const cause = ModelRtcError.from(error);
    if (cause.code !== 'not_found') throw cause;
    const sentence = `Neither this machine nor ${known.name} has a model "${ref}", and nothing is at that path. See what there is: model-rtc client list-models, and model-rtc worker list-models.`;
    throw new ModelRtcError('not_found', sentence, { cause, details: cause.details });
  };
}
