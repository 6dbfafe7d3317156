import { lstat } from 'node:fs/promises';
import type { Result } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { findHere, type NamedModel, type ProvidedModel, type Reference, resolveReference } from '@model-rtc/transfer';
import { wholeModels } from './list-models.ts';
import { type RemoteWorker, remembered } from './remote-worker.ts';

export type WorkerModelInfo = ProvidedModel & NamedModel;

/** What a person wrote, to be looked up at providers and then on this machine. */
export async function referenceOf(registry: Registry, ref: string, isName = false): Promise<Reference> {
  return { ref, isPath: !isName && (await isPath(ref)), local: registry };
}

/** Everything that the worker knows about a model, by its name there or else its name here. Remembers that the worker has it. */
export async function modelInfo(
  worker: RemoteWorker,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<WorkerModelInfo> {
  const { provider, registry, known } = worker;
  const info = await resolveReference(provider, await referenceOf(registry, ref), signal);
  await remembered(worker, () => registry.recordSeen(known, wholeModels([info.entry])));
  return info;
}

/** Whether the worker has what a reference names; looked up as `resolveReference` does. */
export async function checkAtWorker(
  { link, registry }: RemoteWorker,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<Result<'check_model_exists'>> {
  const peer = await link.reach(signal);
  const check = (asked: string) => peer.request('check_model_exists', { ref: asked }, { signal });
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
  return !/^\w[\w.+-]*\/\w[\w.+-]*(@\w[\w.+-]*)?$/.test(ref) || (await lstat(ref).catch(() => undefined)) !== undefined;
}
