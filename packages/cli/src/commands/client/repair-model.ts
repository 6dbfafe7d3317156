import type { OnModelProgress, RepairModelOptions, RepairModelResult, SpeedOptions } from '@model-rtc/client';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { VerifiedModel } from '@model-rtc/registry';
import { defineCommand, textOption } from '../../command-line/types.ts';
import { fetchAudited } from '../../console/audited-pull.ts';
import type { Context } from '../../console/context.ts';
import { printable, shortName } from '../../console/format.ts';
import { workerKeyOf } from '../../console/session-argument.ts';
import { connectWorker } from '../connect.ts';
import { localModel, type NetworkOptions, networkOptions } from '../options.ts';
import { speedFrom, speedOptions } from './transfer.ts';

export const repairModel = defineCommand({
  usage: 'repair-model <ref>',
  describe: 'Make a damaged model whole, or point it to where its files are now',
  positionals: { ref: localModel },
  options: {
    ...networkOptions,
    path: textOption('The folder or file where the same files are now', { conflicts: 'from', completes: 'files' }),
    from: textOption(
      'Fetch the damaged chunks from this worker: a session token, a saved name, @FILE, mesh:NODE or mesh:best',
      {
        completes: 'workers',
      },
    ),
    ...speedOptions,
  },
  epilogue: 'With neither, it tries other models on this machine and the saved workers that have the model.',
  examples: [
    ['$0 client repair-model good-mouse-v1 --path /mnt/new/run', 'its files were moved'],
    ['$0 client repair-model good-mouse-v1 --from lab', 'fetch what is damaged'],
  ],
  async run(context, { ref, path, from, ...options }) {
    const speed = speedFrom(options);
    context.explainCancel('Cancelled; the model is unchanged. Run the same command again to resume.');
    const { signal, output } = context;
    const onProgress = await output.progress();
    const registry = await context.registry();
    if (path !== undefined) {
      const { entry } = await registry.relink(ref, path, {
        signal,
        onProgress: (progress) => onProgress({ type: 'local', ...progress }),
      });
      const how = entry.linked ? 'is linked to' : 'was copied again from';
      const text = `${shortName(entry)} ${how} ${printable(entry.originalPath ?? path)}, verified`;
      return output.result({ outcome: 'relinked', entry }, text);
    }
    const found = await registry.verify(ref, {
      signal,
      onProgress: (progress) => onProgress({ type: 'local', phase: 'verify', ...progress }),
    });
    // A model that is whole needs no connection.
    const done =
      from === undefined || found.state !== 'damaged'
        ? await repairDamaged(context, options, found, { onProgress, ...speed })
        : await repairFrom(context, options, from, { found, signal, onProgress, ...speed });
    const { firstChunkMs: _, ...result } = done;
    output.result(result, repairedText(done));
  },
});

interface RepairDone extends RepairModelResult {
  /** The worker that sent what this machine did not have. */
  readonly from?: string | undefined;
}

type VerifiedRepairOptions = RepairModelOptions & { readonly found: VerifiedModel };
type RepairControls = SpeedOptions & { readonly onProgress: OnModelProgress };

/**
 * Repairs a damaged model from this disk, or from the saved workers that had it when last asked.
 * @param found - the result of a full verification
 * @throws ModelRtcError `verification_failed` when none of them has the missing chunks
 */
export async function repairDamaged(
  context: Context,
  network: NetworkOptions,
  found: VerifiedModel,
  controls: RepairControls,
): Promise<RepairDone> {
  const { repairFromDisk } = await import('@model-rtc/client');
  const options = { found, signal: context.signal, ...controls };
  try {
    return await repairFromDisk(await context.registry(), found.entry.id, options);
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code !== 'verification_failed') throw known;
    return await repairFromKnown(context, network, options, known);
  }
}

/** Repairs a damaged model from the worker of a session. */
async function repairFrom(
  context: Context,
  network: NetworkOptions,
  session: string,
  options: VerifiedRepairOptions,
): Promise<RepairDone> {
  await using worker = await connectWorker(context, network, session, { fetch: {} });
  const { id, alias } = options.found.entry;
  const about = { ref: alias ?? id, by: 'repair-model', from: [session] };
  const done = await fetchAudited(context, about, options.onProgress ?? (() => {}), (onProgress) =>
    worker.repairModel(id, { ...options, onProgress }),
  );
  return { ...done, from: worker.workerName };
}

/** @param notHere - why this disk was not enough */
async function repairFromKnown(
  context: Context,
  network: NetworkOptions,
  options: VerifiedRepairOptions,
  notHere: ModelRtcError,
): Promise<RepairDone> {
  let last = notHere;
  for (const session of await sessionsOf(context, options.found)) {
    try {
      return await repairFrom(context, network, session, options);
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
  const { SavedWorkers } = await import('../../console/saved-workers.ts');
  const saved = await SavedWorkers.open(context.home);
  const byKey = new Map<string, string>();
  const candidates = [context.runtime.env.MODEL_RTC_SESSION, ...saved.list().map(({ name }) => name)];
  for (const session of candidates) {
    if (session === undefined) continue;
    // A saved name in the environment may be gone; the other sessions still help.
    const key = await workerKeyOf(context, session).catch(() => undefined);
    if (key !== undefined) byKey.set(key, session);
  }
  return available.map(({ key }) => byKey.get(key)).filter((session) => session !== undefined);
}

function repairedText({ outcome, entry, from, transferredBytes, reusedBytes, resumedBytes }: RepairDone): string {
  const name = shortName(entry);
  if (outcome === 'sound') return `${name} is whole; nothing to repair`;
  const parts = [
    ...(transferredBytes > 0 ? [`${formatBytes(transferredBytes)} from ${printable(from ?? 'a worker')}`] : []),
    ...(reusedBytes > 0 ? [`${formatBytes(reusedBytes)} from this machine`] : []),
    ...(resumedBytes > 0 ? [`${formatBytes(resumedBytes)} from an earlier attempt`] : []),
  ];
  return `Repaired ${name}: ${parts.join('; ')}\n  ${entry.localPath}`;
}
