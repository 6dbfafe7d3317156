import { rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { acquireLock } from '@model-rtc/files';
import { namedLikeCode, refuseCode } from '@model-rtc/formats';
import {
  type Alias,
  type AliasConflict,
  type Digest,
  type IfExists,
  type Log,
  type Manifest,
  type ModelEntry,
  ModelRtcError,
  type ModelSource,
} from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import type { Pace } from './pace/pace.ts';
import { type PullOutcome, pull } from './pull.ts';
import type { OnTransferProgress } from './session/progress.ts';
import type { Watchdog } from './session/watchdog.ts';
import type { ChunkSource } from './sources/source.ts';
import type { SourcePool } from './sources/source-pool.ts';
import { ownFiles } from './staging/own-files.ts';
import type { AcquireLock } from './staging/staging.ts';

export interface ReceiveOptions {
  readonly registry: Registry;
  readonly digest: Digest;
  /** Gives the digest's manifest. Called once, and only when something has to be fetched: it may be large. */
  readonly manifest: () => Promise<Manifest>;
  /** What the other side says of the model. Its alias is taken here as well, unless the model has one here. */
  readonly entry: ModelEntry;
  /** The alias that a person asked for: the model is named so, whatever it was called before. */
  readonly alias?: Alias | undefined;
  /** What becomes of an alias that another model has. Without it, `overwrite` takes it over and `skip` refuses. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** `skip` leaves a whole model as it is; `overwrite` verifies it. */
  readonly ifExists: IfExists;
  /** Refuse a model with files that run code when they are loaded: by their names before a byte is fetched, and by content. */
  readonly safeOnly?: boolean | undefined;
  readonly source: ModelSource;
  /** As for `pull`. */
  readonly sources: readonly ChunkSource[] | SourcePool;
  readonly pace?: Pace | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnTransferProgress | undefined;
  readonly watchdog?: Watchdog | undefined;
  readonly log?: Log | undefined;
}

export interface ReceivedModel extends Pick<PullOutcome, 'transferredBytes' | 'reusedBytes' | 'resumedBytes'> {
  readonly entry: RegistryEntry;
  /** `already_there` when it was here whole, or another transfer brought it while this one waited for that. */
  readonly outcome: 'installed' | 'already_there';
}

/**
 * Fetches a model and installs it in the registry, whole or not at all: the same for a client that pulls and for a worker
 * that is pushed to.
 *
 * @throws ModelRtcError what `manifest`, `pull` and `Registry.install` throw; `alias_taken` and, by the
 * names of its files, `refused` before anything is fetched.
 */
export async function receiveModel(options: ReceiveOptions): Promise<ReceivedModel> {
  const { registry, digest, ifExists } = options;
  const existing = ifExists === 'skip' ? await intactModel(registry, digest) : undefined;
  if (existing !== undefined) return await alreadyThere(options, existing);
  const alias = await chooseAlias(options);
  if (alias !== undefined && conflictOf(options) === undefined) await registry.checkAlias(alias, digest);
  const manifest = await options.manifest();
  if (options.safeOnly) refuseCode(namedLikeCode(manifest));
  const pulled = await pullUnlessThere(options, manifest);
  if ('existing' in pulled) return await alreadyThere(options, pulled.existing);
  const { outcome } = pulled;
  try {
    const entry = await install(options, { manifest, filesFolder: outcome.filesFolder, alias });
    const { transferredBytes, reusedBytes, resumedBytes } = outcome;
    return { entry, outcome: 'installed', transferredBytes, reusedBytes, resumedBytes };
  } catch (error) {
    // What is refused for what it holds is of no use to another attempt, and must not lie around.
    if (ModelRtcError.from(error).code === 'refused') await rm(outcome.filesFolder, { recursive: true, force: true });
    throw error;
  } finally {
    await outcome.release();
  }
}

/**
 * The model of this digest, when it is in the registry and all its files are as they were when they were verified: then
 * nothing has to be fetched.
 */
async function intactModel(registry: Registry, digest: Digest): Promise<RegistryEntry | undefined> {
  const entry = await registry.find(digest);
  return entry !== undefined && (await registry.check(digest)).valid ? entry : undefined;
}

/** A model that is here, damaged or about to be verified, keeps its alias unless a person asked for another. */
async function chooseAlias({ registry, digest, alias, entry }: ReceiveOptions): Promise<Alias | undefined> {
  if (alias !== undefined) return alias;
  return (await registry.find(digest))?.alias === undefined ? entry.alias : undefined;
}

async function alreadyThere(options: ReceiveOptions, existing: RegistryEntry): Promise<ReceivedModel> {
  const { registry, digest, safeOnly } = options;
  if (safeOnly) refuseCode(existing.codeFiles ?? namedLikeCode(await registry.manifest(digest)));
  const entry = await nameExisting(options, existing);
  return { entry, outcome: 'already_there', transferredBytes: 0, reusedBytes: entry.size, resumedBytes: 0 };
}

/** A person who asks for a model to be verified wants this very one: it takes the alias over, unless told otherwise. */
function conflictOf({ aliasConflict, ifExists }: ReceiveOptions): AliasConflict | undefined {
  return aliasConflict ?? (ifExists === 'overwrite' ? 'overwrite' : undefined);
}

/** The other side's alias is only an offer: a model that is here already is not refused because another one has it. */
async function nameExisting(options: ReceiveOptions, existing: RegistryEntry): Promise<RegistryEntry> {
  const { registry, alias, entry } = options;
  const conflict = conflictOf(options);
  if (alias !== undefined) {
    return alias === existing.alias ? existing : await registry.tag(existing.id, alias, { aliasConflict: conflict });
  }
  if (existing.alias !== undefined || entry.alias === undefined) return existing;
  return await registry.tag(existing.id, entry.alias, { aliasConflict: conflict ?? 'keep' });
}

/**
 * Pulls, unless another transfer of the same model ends while this one waits for the staging folder that both use: what
 * that one installed must not be copied out of the registry and installed once more.
 */
async function pullUnlessThere(
  { registry, digest, entry, ifExists, sources, signal, onProgress, watchdog, pace, log }: ReceiveOptions,
  manifest: Manifest,
): Promise<{ outcome: PullOutcome } | { existing: RegistryEntry }> {
  const { staging } = registry.paths;
  let existing: RegistryEntry | undefined;
  const lock: AcquireLock = async (path, lockOptions) => {
    const held = await acquireLock(path, lockOptions);
    try {
      existing = ifExists === 'skip' ? await intactModel(registry, digest) : undefined;
    } catch (error) {
      await held.release();
      throw error;
    }
    if (existing === undefined) return held;
    await held.release();
    // It was made for the lock; whoever waits for it makes it again.
    await rmdir(dirname(path)).catch(() => {});
    throw new ModelRtcError('cancelled', 'Another transfer has brought the model.');
  };
  try {
    const outcome = await pull({
      ...{ manifest, digest, entry, sources, staging, lock, signal, onProgress, watchdog, pace, log },
      local: registry,
      ownFiles: ownFiles(registry),
    });
    return { outcome };
  } catch (error) {
    if (existing !== undefined) return { existing };
    throw error;
  }
}

async function install(
  options: ReceiveOptions,
  staged: { readonly manifest: Manifest; readonly filesFolder: string; readonly alias: Alias | undefined },
): Promise<RegistryEntry> {
  const { registry, entry, source, safeOnly } = options;
  return await registry.install({
    ...staged,
    ...{ entry, source, safeOnly },
    aliasConflict: conflictOf(options),
    // What was there is not whole, or is to be replaced: a whole one is not fetched in the first place.
    ifExists: 'overwrite',
  });
}
