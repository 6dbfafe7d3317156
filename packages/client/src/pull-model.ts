import { type Alias, type Digest, type ModelEntry, ModelRtcError, parseAlias } from '@model-rtc/protocol';
import type { RegistryEntry } from '@model-rtc/registry';
import type { ModelProvider } from '@model-rtc/transfer';
import {
  findModel,
  loadZstd,
  PeerEncodings,
  ProviderNames,
  type ReceivedModel,
  receiveFromHere,
  receiveFromSources,
  Swarm,
} from '@model-rtc/transfer';
import { BytesByWorker, type WorkerBytes } from './bytes-by-worker.ts';
import type { WorkerNews } from './progress.ts';
import type { ClientContext, RemoteWorker } from './remote-worker.ts';
import { type NamedModel, resolveReference } from './resolve-reference.ts';
import { requireRestart, retryOptions } from './retry-options.ts';
import { isBulk, type TransferOptions, TransferSpeed } from './transfer-speed.ts';
import { type TransferReport, TransferStats } from './transfer-stats.ts';

export interface PullModelOptions extends TransferOptions {
  /** Refuse a model with files that run code when they are loaded. */
  readonly safeOnly?: boolean | undefined;
}

export interface PullModelResult extends TransferReport, NamedModel {
  readonly entry: RegistryEntry;
  readonly outcome: 'pulled' | 'already_there';
  /** The worker that said what the reference names. */
  readonly namedAt: string;
  /** What each worker gave, over which of its lanes. */
  readonly workers: readonly WorkerBytes[];
}

/**
 * Brings a model from workers into this machine's registry: whole and verified, or not at all. What an earlier attempt
 * fetched, and what this disk has in any model, is not fetched again. All workers that have it give it at once; any of them
 * may leave and come back meanwhile.
 *
 * @param workers - the first that knows the reference decides what it names.
 * @param ref - as a worker knows the model: id, alias or digest prefix; else as this machine knows it.
 */
export async function pullModelFrom(
  workers: readonly RemoteWorker[],
  ref: string,
  options: PullModelOptions = {},
): Promise<PullModelResult> {
  const [first] = workers;
  if (first === undefined) throw new ModelRtcError('bad_argument', 'Name a worker to take the model from.');
  const providers = workers.map(({ provider }) => provider);
  return await pullFromProviders(first, providers, ref, options);
}

/** The same from providers of any kinds. @param context - what this machine brings. */
export async function pullFromProviders(
  context: ClientContext,
  providers: readonly ModelProvider[],
  ref: string,
  options: PullModelOptions,
): Promise<PullModelResult> {
  const task = openTask(context, providers, ref, options);
  for (let restarts = 0; ; restarts++) {
    try {
      return await pullOnce(task);
    } catch (error) {
      requireRestart(error, restarts, options.onProgress);
      task.stats.startOver();
      task.byWorker.startOver();
    }
  }
}

interface PullTask {
  readonly context: ClientContext;
  readonly providers: readonly ModelProvider[];
  readonly names: ProviderNames;
  readonly ref: string;
  readonly alias: Alias | undefined;
  readonly stats: TransferStats;
  readonly byWorker: BytesByWorker;
  readonly speed: TransferSpeed;
  readonly options: PullModelOptions;
}

function openTask(
  context: ClientContext,
  providers: readonly ModelProvider[],
  ref: string,
  options: PullModelOptions,
): PullTask {
  const { clock, limits } = context;
  const alias = options.alias === undefined ? undefined : parseAlias(options.alias);
  const parts = { stats: new TransferStats(clock), byWorker: new BytesByWorker() };
  const speed = new TransferSpeed(options, limits.down, clock);
  return { context, providers, names: new ProviderNames(providers), ref, alias, ...parts, speed, options };
}

/** What is to be received, and the provider that said so. */
interface Wanted {
  readonly entry: ModelEntry;
  readonly digest: Digest;
  readonly provider: ModelProvider;
}

async function pullOnce(task: PullTask): Promise<PullModelResult> {
  const { context, providers, ref, stats, options } = task;
  stats.begin();
  const { model: info, provider } = await findModel(providers, {
    ...retryOptions(context, stats, options),
    ask: (asked, signal) => resolveReference(context.registry, ref, (name) => asked.resolve(name, signal)),
    onWaiting: (reason) => options.onProgress?.({ type: 'waiting', reason }),
  });
  const wanted = { entry: info.entry, digest: settledDigest(info.entry), provider };
  const received = (await receiveFromHere(receptionOf(task, wanted))) ?? (await fetchFromSwarm(task, wanted));
  await tellProviders(task, wanted, received.entry);
  return {
    ...resultOf(task, received),
    namedBy: info.namedBy,
    otherHere: info.otherHere,
    namedAt: task.names.of(provider),
  };
}

function receptionOf({ context: { registry }, alias, options }: PullTask, { entry, digest }: Wanted) {
  const { aliasConflict, safeOnly, ifExists = 'skip' } = options;
  return { registry, digest, entry, alias, aliasConflict, ifExists, safeOnly };
}

async function fetchFromSwarm(task: PullTask, wanted: Wanted): Promise<ReceivedModel> {
  const { providers, speed, stats, options, context } = task;
  const { signal } = options;
  const swarm = openSwarm(task, wanted);
  if (isBulk(wanted.entry)) for (const provider of providers) provider.expectBulk();
  try {
    const manifest = await swarm.manifest();
    swarm.start();
    return await receiveFromSources({
      ...{ ...receptionOf(task, wanted), manifest, signal, log: context.log },
      source: 'worker-pull',
      sources: swarm.pool,
      watchdog: stats.watchdog,
      limiter: speed.limiter,
      onProgress: (progress) => {
        stats.note(progress);
        speed.moved(progress.transferredBytes, lanesOf(providers));
        task.byWorker.note(progress.lanes);
        options.onProgress?.({ type: 'transfer', ...progress });
      },
    });
  } catch (error) {
    throw swarm.asEnd(asChanged(error));
  } finally {
    await swarm.end();
  }
}

function openSwarm(task: PullTask, { digest, provider }: Wanted): Swarm {
  const { context, providers, names, stats, options } = task;
  return new Swarm(providers, {
    ...retryOptions(context, stats, options),
    ...{ digest, names, first: provider },
    encodings: new PeerEncodings({ loadZstd, mode: options.compress }),
    onNews: (news) => tellNews(task, news),
  });
}

/** With one worker there is only its connection to tell of. */
function tellNews({ providers, options }: PullTask, news: WorkerNews): void {
  if (providers.length > 1) options.onProgress?.({ type: 'worker', ...news });
  else if (news.state === 'lost') options.onProgress?.({ type: 'reconnecting', reason: news.reason ?? '' });
}

/** A provider told of the model a moment ago: when it does not have it now, its files have changed, or it was removed. */
function asChanged(error: unknown): ModelRtcError {
  const known = ModelRtcError.from(error);
  if (known.code !== 'not_found') return known;
  return ModelRtcError.because(known, 'source_changed', 'The model changed at the worker while it was sent.');
}

/** Those that are connected hear of it. */
async function tellProviders(
  { providers }: PullTask,
  { digest, entry, provider: named }: Wanted,
  { alias }: RegistryEntry,
): Promise<void> {
  const answerOf = (provider: ModelProvider) => (provider === named ? entry : undefined);
  await Promise.all(providers.map((provider) => provider.noteInstalled({ digest, alias, answer: answerOf(provider) })));
}

function resultOf({ providers, stats, byWorker }: PullTask, received: ReceivedModel) {
  const outcome: PullModelResult['outcome'] = received.outcome === 'installed' ? 'pulled' : 'already_there';
  const report = stats.report(lanesOf(providers), received);
  return { entry: received.entry, outcome, ...report, workers: byWorker.list() };
}

function lanesOf(providers: readonly ModelProvider[]) {
  return providers.flatMap(({ lanes }) => lanes);
}

export function settledDigest(entry: ModelEntry): Digest {
  if (entry.digest !== undefined) return entry.digest;
  throw new ModelRtcError('busy', `"${entry.alias ?? entry.id}" is still training; pull it when it is done.`);
}
