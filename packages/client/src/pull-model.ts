import { type Alias, type Digest, type ModelEntry, ModelRtcError, parseAlias } from '@model-rtc/protocol';
import type { InstallAdditions, RegistryEntry } from '@model-rtc/registry';
import {
  earlierContent,
  type FoundModel,
  findModel,
  limitTransfer,
  loadZstd,
  type ModelProvider,
  type NamedModel,
  PeerEncodings,
  type ProvidedModel,
  ProviderNames,
  type ReceivedModel,
  type ReceptionOptions,
  receiveFromHere,
  receiveFromSources,
  receiveModel,
  Swarm,
  type TrackedTransfer,
  type TransferKind,
} from '@model-rtc/transfer';
import { BytesByWorker, type WorkerBytes } from './bytes-by-worker.ts';
import { referenceOf } from './model-info.ts';
import type { ClientContext } from './remote-worker.ts';
import { requireRestart, retryOptions } from './retry-options.ts';
import { nameOf, tracked } from './tracked.ts';
import { isBulk, type TransferOptions, TransferSpeed } from './transfer-speed.ts';
import { type TransferReport, TransferStats } from './transfer-stats.ts';

export interface PullModelOptions extends TransferOptions {
  /** The reference is a provider's name for the model, whatever it looks like: never a path of this machine. */
  readonly isName?: boolean | undefined;
  /** What a person of this machine says of the model, when it is not here already. */
  readonly additions?: InstallAdditions | undefined;
  /** Refuse a model with files that run code when they are loaded. */
  readonly safeOnly?: boolean | undefined;
  /** What the record of this transfer calls it; a pull, or an import from a hub, when left out. */
  readonly kind?: TransferKind | undefined;
  /** Called with the model as the worker has it, before a byte of it is fetched; again when the pull begins anew. */
  readonly onModel?: ((entry: ModelEntry) => void) | undefined;
  /** Called when an earlier attempt was at what the model's alias meant before, with the bytes that it left. */
  readonly onEarlierContent?: ((entry: ModelEntry, bytes: number) => void) | undefined;
}

export interface PullModelResult extends TransferReport, NamedModel {
  readonly entry: RegistryEntry;
  readonly outcome: 'pulled' | 'already_there';
  /** The id of the model on this machine that had its alias until now, and has none any more. */
  readonly aliasTakenFrom?: string | undefined;
  /** The worker that said what the reference names. */
  readonly namedAt: string;
  /** What each worker gave, over which of its lanes. */
  readonly workers: readonly WorkerBytes[];
}

/**
 * Brings a model from providers into this machine's registry: whole and verified, or not at all. What an earlier attempt
 * fetched, and what this disk has in any model, is not fetched again. All providers that have it give it at once; any of them
 * may leave and come back meanwhile. Begins again when the model changed at its source.
 *
 * @param context - what this machine brings.
 * @param providers - the first that knows the reference decides what it names.
 * @param ref - as a provider knows the model: id, alias or digest prefix; else as this machine knows it.
 */
export async function pullFromProviders(
  context: ClientContext,
  providers: readonly ModelProvider[],
  ref: string,
  options: PullModelOptions = {},
): Promise<PullModelResult> {
  const kind = options.kind ?? (providers.some(({ source }) => source === 'hub') ? 'import' : 'pull');
  return await tracked(context, { kind, name: ref, priority: options.priority }, options, (controlled, transfer) =>
    pullUntilSettled(context, providers, ref, { ...controlled, transfer }),
  );
}

async function pullUntilSettled(
  context: ClientContext,
  providers: readonly ModelProvider[],
  ref: string,
  options: TrackedOptions,
): Promise<PullModelResult> {
  const { clock, limits } = context;
  const alias = options.alias === undefined ? undefined : parseAlias(options.alias);
  const stats = new TransferStats(clock, options.maxReconnectMs);
  const speed = new TransferSpeed(options, limits.down, clock, options.transfer);
  const shared = { context, providers, ref, options, alias, stats, speed };
  const task: PullTask = { ...shared, names: new ProviderNames(providers), byWorker: new BytesByWorker() };
  for (let restarts = 0; ; restarts++) {
    try {
      stats.begin();
      const found = await findModel(providers, await referenceOf(context.registry, ref, options.isName), {
        ...retryOptions(context, stats, options),
        onWaiting: (reason) => options.onProgress?.({ type: 'waiting', reason }),
      });
      const { entry } = found.model;
      options.onModel?.(entry);
      const peers = providers.map((each) => task.names.of(each));
      options.transfer.describe({ name: nameOf(entry), digest: entry.digest, peers, totalBytes: entry.size });
      const wanted = wantedModel(task, found);
      const { reception, digest } = wanted;
      const here = digest === undefined ? undefined : await receiveFromHere({ ...reception, digest });
      const received = here ?? (await fetchFromProviders(task, wanted));
      await tellProviders(task, found, received.entry);
      return resultOf(task, found, received);
    } catch (error) {
      requireRestart(error, restarts, options.onProgress);
      stats.startOver();
      task.byWorker.startOver();
    }
  }
}

type TrackedOptions = PullModelOptions & { readonly transfer: TrackedTransfer };

interface PullTask {
  readonly context: ClientContext;
  readonly providers: readonly ModelProvider[];
  readonly names: ProviderNames;
  readonly ref: string;
  readonly alias: Alias | undefined;
  readonly stats: TransferStats;
  readonly byWorker: BytesByWorker;
  readonly speed: TransferSpeed;
  readonly options: TrackedOptions;
}

/** The model to receive, and the provider that named it. */
interface Wanted {
  readonly reception: Omit<ReceptionOptions, 'digest'>;
  readonly digest: Digest | undefined;
  readonly provider: ModelProvider;
}

function wantedModel({ context, options, alias }: PullTask, { model, provider }: FoundModel): Wanted {
  const { registry } = context;
  const { entry } = model;
  const { aliasConflict, safeOnly, additions, ifExists = 'skip' } = options;
  const releases = provider.source === 'static-registry' ? entry.releases : undefined;
  const reception = { registry, entry, alias, aliasConflict, ifExists, safeOnly, releases, additions };
  return { reception, digest: knownDigest(model), provider };
}

async function fetchFromProviders(task: PullTask, { reception, digest, provider }: Wanted): Promise<ReceivedModel> {
  const { names, ref, speed, stats, options, context } = task;
  const { onProgress } = options;
  if (digest !== undefined) await noteEarlierContent(task, reception.entry, digest);
  // The one that named the model is asked first.
  const providers = [provider, ...task.providers.filter((each) => each !== provider)];
  const swarm = new Swarm(providers, {
    ...{ ...retryOptions(context, stats, options), model: { ref, digest }, names },
    encodings: new PeerEncodings({ loadZstd, mode: options.compress }),
    onNews(news) {
      const isOfOne = providers.length > 1 || providers.every((provider) => names.of(provider) !== news.name);
      if (isOfOne) onProgress?.({ type: 'worker', ...news });
      // With one worker, only the loss of its connection is news.
      else if (news.state === 'lost') onProgress?.({ type: 'reconnecting', reason: news.reason ?? '' });
    },
  });
  if (isBulk(reception.entry)) for (const each of providers) each.expectBulk();
  try {
    const contents = await swarm.start();
    const receive = digest === undefined ? receiveModel : receiveFromSources;
    return await receive({
      ...{ ...reception, contents, signal: options.signal, log: context.log },
      source: provider.source,
      room: context.storage === undefined ? undefined : { cap: context.storage, transferId: options.transfer.id },
      localFiles: providers.flatMap(({ localFiles }) => localFiles ?? []),
      sources: swarm.pool,
      watchdog: stats.watchdog,
      limiter: limitTransfer(options.transfer, speed.limiter, context.limits.bySize, reception.entry.size),
      onProgress: (progress) => {
        stats.note(progress);
        speed.moved(progress.transferredBytes, lanesOf(providers));
        task.byWorker.note(progress.lanes);
        onProgress?.({ type: 'transfer', ...progress });
      },
    });
  } catch (error) {
    throw swarm.asEnd(asChanged(error));
  } finally {
    await swarm.end();
  }
}

/** Everyone who may have given it hears that it is here. */
async function tellProviders(
  { providers }: PullTask,
  { model, provider }: FoundModel,
  installed: RegistryEntry,
): Promise<void> {
  const told = { digest: finalDigest(installed), alias: installed.alias };
  const answerOf = (each: ModelProvider): ModelEntry | undefined => (each === provider ? model.entry : undefined);
  await Promise.all(providers.map((each) => each.noteInstalled({ ...told, answer: answerOf(each) })));
}

function resultOf(
  { providers, names, stats, byWorker }: PullTask,
  { model, provider }: FoundModel,
  received: ReceivedModel,
): PullModelResult {
  const { namedBy, otherHere } = model;
  return {
    entry: received.entry,
    outcome: received.outcome === 'installed' ? 'pulled' : 'already_there',
    aliasTakenFrom: received.aliasTakenFrom,
    ...stats.report(lanesOf(providers), received),
    workers: byWorker.list(),
    ...{ namedBy, otherHere, namedAt: names.of(provider) },
  };
}

/** Says what an earlier attempt left, at what the model's alias meant before. */
async function noteEarlierContent({ context, options }: PullTask, entry: ModelEntry, digest: Digest): Promise<void> {
  const earlier = await earlierContent(context.registry.paths.staging, entry, digest);
  if (earlier !== undefined) options.onEarlierContent?.(entry, earlier.bytes);
}

/** A provider had the model a moment ago. If it does not have it now, the files changed or the model was removed. */
function asChanged(error: unknown): ModelRtcError {
  const known = ModelRtcError.from(error);
  if (known.code !== 'not_found') return known;
  return ModelRtcError.because(known, 'source_changed', 'The model changed at the worker while it was sent.');
}

function lanesOf(providers: readonly ModelProvider[]) {
  return providers.flatMap(({ lanes }) => lanes);
}

/** The digest of what a provider has; undefined where only the files tell it. @throws ModelRtcError `busy` while it is trained */
export function knownDigest({ entry, hasDigestLater }: ProvidedModel): Digest | undefined {
  return hasDigestLater ? entry.digest : finalDigest(entry);
}

/** @throws ModelRtcError `busy` while the model is training, and has no digest yet */
export function finalDigest(entry: ModelEntry, action: 'pull' | 'push' = 'pull'): Digest {
  if (entry.digest !== undefined) return entry.digest;
  throw new ModelRtcError(
    'busy',
    `"${entry.alias ?? entry.id}" is still training. Wait until it is done, then ${action} it.`,
  );
}
