import { namedLikeCode, refuseCode } from '@model-rtc/formats';
import { type CodeFile, contentsDigest, type Digest, type ModelContents } from '@model-rtc/protocol';
import type { EvictedModel, Registry } from '@model-rtc/registry';
import {
  comingModel,
  contentsOf,
  findModel,
  type ModelProvider,
  makeRoomFor,
  type NamedModel,
  ProviderNames,
  planTransfer,
} from '@model-rtc/transfer';
import { referenceOf } from './model-info.ts';
import { finalDigest, knownDigest, type PullModelOptions } from './pull-model.ts';
import { freshEntry, type PushModelOptions } from './push-model.ts';
import type { ClientContext, RemoteWorker } from './remote-worker.ts';
import { retryOptions } from './retry-options.ts';
import { nameOf } from './tracked.ts';
import { TransferStats } from './transfer-stats.ts';

/** What a pull or push would transfer. */
export interface ModelPlan {
  readonly id: string;
  /** Undefined where only the files will tell it. */
  readonly digest: Digest | undefined;
  readonly alias: string | undefined;
  /** The receiver has the whole model already. */
  readonly exists: boolean;
  readonly totalBytes: number;
  readonly transferBytes: number;
  /** Bytes that the receiver has in other models, or that are in this one more than once. */
  readonly reusedBytes: number;
  /** Bytes that an earlier attempt at this model brought. */
  readonly resumedBytes: number;
}

export interface PullPlan extends ModelPlan, NamedModel {
  readonly namedAt: string;
  /** The models that would be removed to make room for it. */
  readonly evicts?: readonly EvictedModel[] | undefined;
  /** This machine's models that have bytes of it, the one with the most first. */
  readonly reusedFrom: readonly { readonly id: string; readonly alias: string | undefined; readonly bytes: number }[];
}

/** The options of a push that also apply to its plan. */
export type PlanPushOptions = Pick<PushModelOptions, 'signal' | 'onProgress' | 'onModel' | 'onChangedFiles'>;

/** The options of a pull that also apply to its plan. */
export type PlanPullOptions = Pick<PullModelOptions, 'safeOnly' | 'signal' | 'onProgress' | 'onModel'>;

/**
 * Says what `pullFromProviders` would fetch. Nothing is stored.
 *
 * @throws ModelRtcError `refused` where only a safe model will do and this one's files run code, by their names or by what was
 * found in them where they are; a pull looks into them itself once they are here.
 */
export async function planFromProviders(
  context: ClientContext,
  providers: readonly ModelProvider[],
  ref: string,
  options: PlanPullOptions = {},
): Promise<PullPlan> {
  const { registry, clock } = context;
  const retrying = retryOptions(context, new TransferStats(clock), options);
  const { model, provider } = await findModel(providers, await referenceOf(registry, ref), {
    ...retrying,
    onWaiting: (reason) => options.onProgress?.({ type: 'waiting', reason }),
  });
  const { entry, namedBy, otherHere } = model;
  options.onModel?.(entry);
  const told = knownDigest(model);
  const early = told === undefined ? await contentsOf(provider, { ref, digest: told }, retrying) : undefined;
  const digest = told ?? (early === undefined ? undefined : contentsDigest(early));
  const namedAt = new ProviderNames(providers).of(provider);
  const named = { id: entry.id, digest, alias: entry.alias, namedBy, otherHere, namedAt };
  const here = digest === undefined ? undefined : await registry.find(digest);
  if (digest !== undefined && here !== undefined && (await registry.check(digest)).valid) {
    if (options.safeOnly) refuseCode(here.codeFiles ?? namedLikeCode(await registry.manifest(digest)));
    const nothing = { transferBytes: 0, resumedBytes: 0, reusedFrom: [] };
    return { ...named, exists: true, totalBytes: entry.size, reusedBytes: entry.size, ...nothing };
  }
  const contents = early ?? (await contentsOf(provider, { ref, digest }, retrying));
  if (options.safeOnly) refuseCode(knownCode(contents, entry.codeFiles));
  const plan = await planTransfer({ contents, staging: registry.paths.staging, local: registry });
  const { storage: cap } = context;
  const coming = comingModel(nameOf(entry), contents);
  const evicts = cap === undefined ? undefined : await makeRoomFor({ registry, cap, coming, dryRun: true });
  return { ...named, exists: false, ...plan, evicts, reusedFrom: await withNames(registry, plan.reusedFrom) };
}

/** Says what `pushModel` would send: the worker knows what it has. Nothing is stored on either side. */
export async function planPush(
  { registry, link }: RemoteWorker,
  ref: string,
  options: PlanPushOptions = {},
): Promise<ModelPlan> {
  const entry = await freshEntry(registry, (await registry.resolve(ref)).entry, options);
  options.onModel?.(entry);
  const digest = finalDigest(entry, 'push');
  const manifest = await registry.manifest(digest);
  const peer = await link.reach(options.signal);
  const plan = await peer.request('plan_push', { manifest }, { signal: options.signal });
  return { id: entry.id, digest, alias: entry.alias, totalBytes: entry.size, ...plan };
}

/** The files with code that the worker found, and those that it did not inspect and that are named like code. */
function knownCode(contents: ModelContents, found: readonly CodeFile[] = []): CodeFile[] {
  return [...found, ...namedLikeCode(contents).filter(({ path }) => !found.some((file) => file.path === path))];
}

async function withNames(
  registry: Registry,
  from: readonly { readonly model: Digest; readonly bytes: number }[],
): Promise<PullPlan['reusedFrom']> {
  const entries = await Promise.all(
    from.map(async ({ model, bytes }) => ({ entry: await registry.find(model), bytes })),
  );
  return entries.flatMap(({ entry, bytes }) =>
    entry === undefined ? [] : [{ id: entry.id, alias: entry.alias, bytes }],
  );
}
