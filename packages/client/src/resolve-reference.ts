import { lstat } from 'node:fs/promises';
import { isDigest, ModelRtcError, type Result } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import type { ProvidedModel } from '@model-rtc/transfer';
import { wholeModels } from './list-models.ts';
import { type RemoteWorker, remembered } from './remote-worker.ts';

/** A model at the worker, and by whose name it was found. */
export interface NamedModel {
  /** `client` when the worker knows no such name, and this machine does: then the worker was asked for its digest. */
  readonly namedBy: 'worker' | 'client';
  /** The id of another model, which the same reference names on this machine. */
  readonly otherHere?: string | undefined;
}

export type WorkerModelInfo = ProvidedModel & NamedModel;

/** Asks the worker what a reference names. @throws ModelRtcError `not_found` when it knows no such model */
export type AskWorker = (ref: string) => Promise<ProvidedModel>;

/**
 * Finds what a reference names at the worker: by the worker's names first, then by this machine's.
 *
 * @throws ModelRtcError `not_found` when neither side knows the name, or the worker does not have what it names here;
 * `ambiguous`; `verification_failed` when the answer is another model than the one asked for.
 */
export async function resolveReference(registry: Registry, ref: string, ask: AskWorker): Promise<WorkerModelInfo> {
  const answer = (await isPath(ref)) ? new ModelRtcError('not_found', unknownPath(ref)) : await askFor(ref, ask);
  if (!(answer instanceof ModelRtcError)) {
    return { ...answer, namedBy: 'worker', otherHere: await otherHere(registry, ref, answer) };
  }
  const here = await findHere(registry, ref);
  if (here?.digest === undefined) throw answer;
  const found = await askFor(here.digest, ask);
  if (found instanceof ModelRtcError) throw notThere(ref, here, found);
  return { ...found, namedBy: 'client' };
}

/** Everything that the worker knows about a model, by its name there or else its name here. Remembers that the worker has it. */
export async function modelInfo(
  worker: RemoteWorker,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<WorkerModelInfo> {
  const { link, registry, known } = worker;
  const peer = await link.peer(signal);
  const info = await resolveReference(registry, ref, (asked) =>
    peer.request('get_model_info', { ref: asked }, { signal }),
  );
  await remembered(worker, () => registry.recordSeen(known, wholeModels([info.entry])));
  return info;
}

/** Whether the worker has what a reference names; looked up as `resolveReference` does. */
export async function checkAtWorker(
  registry: Registry,
  ref: string,
  check: (ref: string) => Promise<Result<'check_model_exists'>>,
): Promise<Result<'check_model_exists'>> {
  const answer = (await isPath(ref)) ? undefined : await check(ref);
  if (answer?.exists) return answer;
  const here = await findHere(registry, ref);
  if (here?.digest !== undefined) return await check(here.digest);
  return answer ?? { exists: false, valid: false, problems: [] };
}

/**
 * Whether a reference is a path on this machine, which the worker must not learn: one with a separator is, unless it has the form of
 * a model's full name (`acme/tiny`) and nothing is there.
 */
async function isPath(ref: string): Promise<boolean> {
  if (!/[/\\]/.test(ref)) return false;
  return !/^\w[\w.-]*\/\w[\w.-]*$/.test(ref) || (await lstat(ref).catch(() => undefined)) !== undefined;
}

async function askFor(ref: string, ask: AskWorker): Promise<ProvidedModel | ModelRtcError> {
  try {
    const answer = await ask(ref);
    assertAskedFor(ref, answer);
    return answer;
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code === 'not_found') return known;
    throw known;
  }
}

/** The worker decides what a name means. A digest, or the start of one, asks for that very content. */
function assertAskedFor(ref: string, { entry, resolvedBy }: Result<'get_model_info'>): void {
  const isContent = isDigest(ref) || (/^[0-9a-f]{6,64}$/i.test(ref) && resolvedBy !== 'alias');
  if (!isContent || entry.digest === undefined || entry.digest.startsWith(ref.toLowerCase())) return;
  throw new ModelRtcError(
    'verification_failed',
    `The worker answered with model ${entry.id}, which is not "${ref}"; nothing was stored.`,
  );
}

async function findHere(registry: Registry, ref: string): Promise<RegistryEntry | undefined> {
  try {
    return (await registry.resolve(ref)).entry;
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code === 'not_found_locally') return undefined;
    throw known;
  }
}

/** The model that the worker's name means on this machine, in case the user meant that one. A failed lookup does not matter. */
async function otherHere(
  registry: Registry,
  ref: string,
  { entry, resolvedBy }: Result<'get_model_info'>,
): Promise<string | undefined> {
  if (resolvedBy !== 'alias') return undefined;
  try {
    const here = await registry.resolve(ref, { paths: false });
    return here.entry.digest === entry.digest ? undefined : here.entry.id;
  } catch {
    return undefined;
  }
}

function notThere(ref: string, here: RegistryEntry, cause: ModelRtcError): ModelRtcError {
  const sentence = `The worker has no model "${ref}", nor the one called "${ref}" on this machine (${here.id}). See what it has: model-rtc worker list-models.`;
  return new ModelRtcError('not_found', sentence, { cause, details: { ref, id: here.id } });
}

function unknownPath(ref: string): string {
  return `No model on this machine is at "${ref}", and workers do not look up paths. Pass the model's id or alias: model-rtc worker list-models.`;
}
