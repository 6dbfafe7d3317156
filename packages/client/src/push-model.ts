import { type Alias, type Digest, type ModelEntry, ModelRtcError, parseAlias, type Result } from '@model-rtc/protocol';
import { type Registry, type RegistryEntry, toModelEntry } from '@model-rtc/registry';
import type { TrackedTransfer } from '@model-rtc/transfer';
import { finalDigest } from './pull-model.ts';
import { type PushTask, pushUntilThere } from './push-until-there.ts';
import { type RemoteWorker, remembered } from './remote-worker.ts';
import { requireRestart } from './retry-options.ts';
import { nameOf, tracked } from './tracked.ts';
import { type TransferOptions, TransferSpeed } from './transfer-speed.ts';
import { type TransferReport, TransferStats } from './transfer-stats.ts';

export interface PushModelOptions extends TransferOptions {
  /** Whether the worker may fetch what came from a hub there, where that is faster. True by default; its owner decides too. */
  readonly fromHub?: boolean | undefined;
  /** Called with the model as it is here, before a byte of it is sent. */
  readonly onModel?: ((entry: ModelEntry) => void) | undefined;
  /** Called when the model's files changed since they were registered, with what it is now. */
  readonly onChangedFiles?: ((entry: ModelEntry) => void) | undefined;
}

export interface PushModelResult extends TransferReport {
  /** The model as the worker has it now. */
  readonly entry: Result<'push_model'>['entry'];
  readonly outcome: 'pushed' | 'already_there';
  /** The id of the model at the worker that had its alias until now, and has none any more. */
  readonly aliasTakenFrom?: string | undefined;
  /** How much of it the worker fetched from a hub. */
  readonly hubBytes?: number | undefined;
}

/**
 * Offers a model of this machine's registry to the worker, which pulls what it does not have and verifies all of it.
 *
 * @param ref - as this machine knows the model: id, alias, digest prefix, or path of a registered model.
 */
export async function pushModel(
  services: RemoteWorker,
  ref: string,
  options: PushModelOptions,
): Promise<PushModelResult> {
  const about = { kind: 'push', name: ref, peers: [services.known.name], priority: options.priority } as const;
  return await tracked(services, about, options, (controlled, transfer) =>
    pushUntilSettled(services, ref, controlled, transfer),
  );
}

async function pushUntilSettled(
  services: RemoteWorker,
  ref: string,
  options: PushModelOptions,
  transfer: TrackedTransfer,
): Promise<PushModelResult> {
  const alias = options.alias === undefined ? undefined : parseAlias(options.alias);
  const { registry, clock, limits } = services;
  const stats = new TransferStats(clock, options.maxReconnectMs);
  const speed = new TransferSpeed(options, limits.up, clock, transfer);
  let entry = await freshEntry(registry, (await registry.resolve(ref)).entry, options);
  options.onModel?.(entry);
  transfer.describe({ name: nameOf(entry), digest: entry.digest, totalBytes: entry.size });
  for (let restarts = 0; ; restarts++) {
    try {
      return await pushEntry(services, { entry, alias, stats, speed, options, transfer });
    } catch (error) {
      requireRestart(error, restarts, options.onProgress);
      stats.startOver();
      entry = await freshEntry(registry, entry, options);
    }
  }
}

/** The entry with the digest of what its files hold now: linked files may have changed since they were hashed. */
export async function freshEntry(
  registry: Registry,
  entry: RegistryEntry,
  options: PushModelOptions,
): Promise<RegistryEntry> {
  const digest = finalDigest(entry, 'push');
  const { valid, problems } = await registry.check(digest);
  // The worker hears what it lacks, and so does the person, before anything is sent.
  if (valid) return await registry.lookIfWhole(digest, options.signal);
  if (entry.linked) return await rehash(registry, digest, options);
  const first = problems[0];
  throw new ModelRtcError(
    'verification_failed',
    `"${entry.alias ?? entry.id}" is damaged on this machine (${first?.path}: ${first?.problem}). Repair it before pushing it: model-rtc client repair-model ${entry.alias ?? entry.id}.`,
    { details: { problems } },
  );
}

async function rehash(
  registry: Registry,
  digest: Digest,
  { signal, onProgress, onChangedFiles }: PushModelOptions,
): Promise<RegistryEntry> {
  const { entry } = await registry.refresh(digest, {
    signal,
    onProgress: (progress) => onProgress?.({ type: 'local', ...progress }),
  });
  if (entry.digest !== digest) onChangedFiles?.(entry);
  return entry;
}

interface ModelTask extends PushTask {
  readonly entry: RegistryEntry;
  readonly alias: Alias | undefined;
  readonly options: PushModelOptions;
}

async function pushEntry(services: RemoteWorker, task: ModelTask): Promise<PushModelResult> {
  const { registry } = services;
  const { entry, alias, stats, options } = task;
  const digest = finalDigest(entry, 'push');
  const manifest = await registry.manifest(digest);
  const { aliasConflict, ifExists = 'skip' } = options;
  const fromHub = options.fromHub !== false && entry.hub !== undefined ? true : undefined;
  const params = { manifest, entry: toModelEntry(entry), alias, aliasConflict, ifExists, fromHub };
  const { result, peer } = await pushUntilThere(
    services,
    { digest, size: entry.size, ask: (asked, how) => asked.request('push_model', params, how) },
    task,
  );
  assertPushed(digest, result);
  await remembered(services, () => registry.recordSeen(services.known, [result.entry]));
  const outcome = result.outcome === 'installed' || stats.hasFetched ? 'pushed' : 'already_there';
  const { aliasTakenFrom, hubBytes } = result;
  return {
    entry: result.entry,
    outcome,
    aliasTakenFrom,
    hubBytes,
    ...stats.report(peer.lanes, bytesOf(result, stats)),
  };
}

function assertPushed(digest: Digest, { entry }: Result<'push_model'>): void {
  if (entry.digest === digest) return;
  throw new ModelRtcError(
    'verification_failed',
    `The worker says that it has model ${entry.id} now, which is not the one that was pushed. See what it has: model-rtc worker list-models.`,
  );
}

/** When only the answer was lost with the last connection, earlier attempts sent the whole model. */
function bytesOf(result: Result<'push_model'>, { hasFetched }: TransferStats) {
  const fetchedBefore = result.outcome === 'already_there' && hasFetched;
  return fetchedBefore ? { transferredBytes: 0, reusedBytes: 0, resumedBytes: result.entry.size } : result;
}
