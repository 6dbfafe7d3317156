import type { RepairModelOptions, RepairModelResult } from '@model-rtc/client';
import { ModelRtcError, parseSessionToken } from '@model-rtc/protocol';
import type { VerifiedModel } from '@model-rtc/registry';
import type { Context } from '../../console/context.ts';
import { type NetworkOptions, withWorker } from '../connect.ts';

export interface RepairDone extends RepairModelResult {
  /** The worker that sent what this machine did not have. */
  readonly from?: string | undefined;
}

/**
 * Repairs a damaged model from this disk, or from the saved workers that had it when last asked.
 * @param found - the result of a full verification
 * @throws ModelRtcError `verification_failed` when none of them has the missing chunks
 */
export async function repairDamaged(
  context: Context,
  found: VerifiedModel,
  network: NetworkOptions,
  onProgress: RepairModelOptions['onProgress'],
): Promise<RepairDone> {
  const { repairFromDisk } = await import('@model-rtc/client');
  const options: RepairModelOptions = { found, signal: context.signal, onProgress };
  try {
    return await repairFromDisk(await context.registry(), found.entry.id, options);
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code !== 'verification_failed') throw known;
    return await repairFromKnown(context, found, network, { options, notHere: known });
  }
}

/** Repairs a damaged model from the worker of a session. */
export async function repairFrom(
  context: Context,
  found: VerifiedModel,
  session: NetworkOptions & { readonly session: string },
  onProgress: RepairModelOptions['onProgress'],
): Promise<RepairDone> {
  return await withWorker(context, session, async (worker) => {
    const options: RepairModelOptions = { found, signal: context.signal, onProgress };
    return { ...(await worker.repairModel(found.entry.id, options)), from: worker.workerName };
  });
}

async function repairFromKnown(
  context: Context,
  found: VerifiedModel,
  network: NetworkOptions,
  { options, notHere }: { readonly options: RepairModelOptions; readonly notHere: ModelRtcError },
): Promise<RepairDone> {
  let last = notHere;
  for (const session of await sessionsOf(context, found)) {
    try {
      return await repairFrom(context, found, { ...network, session }, options.onProgress);
    } catch (error) {
      if (context.signal.aborted) throw error;
      last = ModelRtcError.from(error);
      context.log.debug({ code: last.code, reason: last.message }, 'a worker could not help with a repair');
    }
  }
  if (last === notHere) throw notHere;
  const sentence = `${notHere.message} The workers that had it failed too: ${last.message}`;
  throw new ModelRtcError('verification_failed', sentence, { cause: last, details: notHere.details });
}

/** The sessions of workers that had the model when last asked, the latest first: saved ones, and the environment's. */
async function sessionsOf(context: Context, { entry }: VerifiedModel): Promise<string[]> {
  if (entry.digest === undefined) return [];
  const available = await (await context.registry()).availability(entry.digest);
  if (available.length === 0) return [];
  const { SavedWorkers } = await import('@model-rtc/client');
  const saved = await SavedWorkers.open(context.home);
  const byKey = new Map<string, string>();
  const candidates = [context.runtime.env.MODEL_RTC_SESSION, ...saved.list().map(({ name }) => saved.find(name))];
  for (const session of candidates) {
    const key = session === undefined ? undefined : workerKey(session);
    if (session !== undefined && key !== undefined) byKey.set(key, session);
  }
  return available.map(({ key }) => byKey.get(key)).filter((session) => session !== undefined);
}

/** The worker's key in a token; undefined for a text that is not one, such as a saved name in the environment. */
function workerKey(session: string): string | undefined {
  try {
    return Buffer.from(parseSessionToken(session).workerKey).toString('hex');
  } catch {
    return undefined;
  }
}
