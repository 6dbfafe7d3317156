import { rm } from 'node:fs/promises';
import { namedLikeCode, refuseCode } from '@model-rtc/formats';
import {
  type Alias,
  type AliasConflict,
  allowedAlias,
  contentsDigest,
  contentsManifest,
  type Digest,
  givenName,
  type IfExists,
  type Manifest,
  type ModelContents,
  type ModelEntry,
  ModelRtcError,
  type ModelSource,
  manifestDigest,
  type Release,
} from '@model-rtc/protocol';
import type { InstallAdditions, Registry, RegistryEntry } from '@model-rtc/registry';
import type { FetchControls } from '../core/fetch-model.ts';
import type { LocalFiles } from '../core/sources/local-files.ts';
import { localModels } from './local-spans.ts';
import { comingModel, type MakeRoomOptions, makeRoomFor } from './make-room.ts';
import { openPull, type PullOutcome } from './pull.ts';
import { ownFiles } from './staging/own-files.ts';

/** Which model to receive, and how to install it. */
export interface ReceptionOptions {
  readonly registry: Registry;
  readonly digest: Digest;
  /** What the other side says about the model. Its alias is used here too, unless the model has one here. */
  readonly entry: ModelEntry;
  /** The alias that a person asked for; it replaces any that the model has. */
  readonly alias?: Alias | undefined;
  /** What to do when another model has the alias. By default `overwrite` takes it over and `skip` refuses. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** `skip` leaves a whole model as it is; `overwrite` verifies it. */
  readonly ifExists: IfExists;
  /** What a static registry calls the model, as this machine itself read it there. It gets these names even if it is here already. */
  readonly releases?: readonly Release[] | undefined;
  /** What a person of this machine said of it. A model that is here already keeps what was said of it before. */
  readonly additions?: InstallAdditions | undefined;
  /** Refuse a model with files that run code when loaded: by their names before anything is fetched, and by content. */
  readonly safeOnly?: boolean | undefined;
  /**
   * Whoever sends the model does not own this machine's models: one that is here, and that no client pushed, stays as its owner
   * describes and names it. Its files are brought only when they are damaged.
   */
  readonly asGuest?: boolean | undefined;
}

/** Where a model comes from, and how. */
export interface ReceiveOptions extends Omit<ReceptionOptions, 'digest'>, FetchControls {
  /** What is known of it. A model without a digest gets one when its files are here. */
  readonly contents: ModelContents;
  readonly source: ModelSource;
  /** Makes room below a cap before the first byte is fetched; nothing is removed when left out. */
  readonly room?: Pick<MakeRoomOptions, 'cap' | 'transferId'> | undefined;
  /** Places on this machine, besides the registry, that have whole files. */
  readonly localFiles?: readonly LocalFiles[] | undefined;
}

export interface ReceivedModel extends Pick<PullOutcome, 'transferredBytes' | 'reusedBytes' | 'resumedBytes'> {
  readonly entry: RegistryEntry;
  /** `already_there` when it was here whole, or another transfer brought it while this one waited. */
  readonly outcome: 'installed' | 'already_there';
  /** The id of the model that had its alias until now, and has none any more. */
  readonly aliasTakenFrom?: string | undefined;
}

/**
 * The first step of receiving a model: if it is here whole, there is nothing to fetch, and it gets the requested alias.
 *
 * @returns undefined when it has to be fetched
 * @throws ModelRtcError `alias_taken` when it could not be installed under its name; `refused` when only a safe model is
 * wanted, and the one here has files that run code
 */
export async function receiveFromHere(options: ReceptionOptions): Promise<ReceivedModel | undefined> {
  const existing = await usableModel(options);
  if (existing !== undefined) return await alreadyThere(options, existing);
  const alias = await chooseAlias(options);
  if (alias !== undefined && conflictOf(options) === undefined)
    await options.registry.checkAlias(alias, options.digest);
  return undefined;
}

/**
 * The second step: fetches the model and installs it in the registry, whole or not at all.
 *
 * @throws ModelRtcError what `pull` and `Registry.install` throw; `refused` because of the names of its files, before
 * anything is fetched
 */
export async function receiveFromSources(options: ReceiveOptions): Promise<ReceivedModel> {
  const { registry, contents, entry, sources, signal, onProgress, watchdog, limiter, log } = options;
  if (options.safeOnly) refuseCode(namedLikeCode(contents));
  if (options.room !== undefined) {
    const coming = comingModel(options.alias ?? givenName(entry) ?? entry.id, contents);
    await makeRoomFor({ registry, coming, ...options.room });
  }
  await using pulling = await openPull({
    ...{ contents, entry, sources, signal, onProgress, watchdog, limiter, log },
    ...{ staging: registry.paths.staging, local: registry, ownFiles: ownFiles(registry) },
    localModels: localModels(registry, entry),
    localFiles: options.localFiles,
  });
  // Another transfer may have installed it while this one waited for the lock: do not copy it out of there and install it again.
  const brought = await broughtMeanwhile(options);
  if (brought !== undefined) return brought;
  const pulled = await pulling.fetch();
  try {
    return await installPulled(options, pulled);
  } catch (error) {
    // Files that were refused for their content are useless to another attempt, so remove them.
    if (ModelRtcError.from(error).code === 'refused') await rm(pulled.filesFolder, { recursive: true, force: true });
    throw error;
  }
}

async function broughtMeanwhile(options: ReceiveOptions): Promise<ReceivedModel | undefined> {
  const digest = contentsDigest(options.contents) ?? (await digestHere(options));
  if (digest === undefined) return undefined;
  const known = { ...options, digest };
  const brought = await usableModel(known);
  return brought === undefined ? undefined : await alreadyThere(known, brought);
}

/** The digest that another transfer found for the same manifest of a static registry. */
async function digestHere({
  registry,
  releases = [],
}: Pick<ReceptionOptions, 'registry' | 'releases'>): Promise<Digest | undefined> {
  for (const { manifest } of releases) {
    const found = manifest === undefined ? undefined : await registry.findByManifest(manifest);
    if (found?.digest !== undefined) return found.digest;
  }
  return undefined;
}

/** Both steps, for callers that know the model's contents from the start. */
export async function receiveModel(options: ReceiveOptions): Promise<ReceivedModel> {
  const digest = contentsDigest(options.contents);
  const here = digest === undefined ? undefined : await receiveFromHere({ ...options, digest });
  return here ?? (await receiveFromSources(options));
}

/** The model of this digest, if it does not have to be fetched. */
async function usableModel(options: ReceptionOptions): Promise<RegistryEntry | undefined> {
  const { registry, digest, ifExists } = options;
  const mayStay = ifExists === 'skip' || (await ownersModel(options)) !== undefined;
  return mayStay ? await intactModel(registry, digest) : undefined;
}

/** The model of this digest, when a guest may not describe it. */
async function ownersModel({ registry, digest, asGuest }: ReceptionOptions): Promise<RegistryEntry | undefined> {
  if (!asGuest) return undefined;
  const entry = await registry.find(digest);
  return entry?.source === 'client-upload' ? undefined : entry;
}

/**
 * The model of this digest, if it is in the registry and all its files are as they were when they were verified: then
 * nothing has to be fetched.
 */
async function intactModel(registry: Registry, digest: Digest): Promise<RegistryEntry | undefined> {
  const entry = await registry.find(digest);
  return entry !== undefined && (await registry.check(digest)).valid ? entry : undefined;
}

/** A model that is here, damaged or about to be verified, keeps its alias unless a person asked for another. */
async function chooseAlias(options: ReceptionOptions): Promise<Alias | undefined> {
  const { registry, digest, alias, entry } = options;
  const owned = await ownersModel(options);
  if (owned !== undefined) return requireSameAlias(owned, alias);
  if (alias !== undefined) return alias;
  return (await registry.find(digest))?.alias === undefined ? allowedAlias(entry.alias) : undefined;
}

async function alreadyThere(options: ReceptionOptions, existing: RegistryEntry): Promise<ReceivedModel> {
  const { registry, digest, safeOnly } = options;
  if (safeOnly) refuseCode(existing.codeFiles ?? namedLikeCode(await registry.manifest(digest)));
  const named = await notingOwner(options, () => nameAndRelease(options, existing));
  return { ...named, outcome: 'already_there', transferredBytes: 0, reusedBytes: named.entry.size, resumedBytes: 0 };
}

async function nameAndRelease(options: ReceptionOptions, existing: RegistryEntry): Promise<RegistryEntry> {
  const { registry, digest, releases } = options;
  const named = await nameExisting(options, existing);
  return releases === undefined ? named : await registry.changeReleases(digest, { add: releases });
}

/** Does what may take an alias from another model, and says from which. */
async function notingOwner(
  options: ReceptionOptions,
  work: () => Promise<RegistryEntry>,
): Promise<Pick<ReceivedModel, 'entry' | 'aliasTakenFrom'>> {
  const alias = conflictOf(options) === 'overwrite' ? await chooseAlias(options) : undefined;
  const owner = alias === undefined ? undefined : await ownerOf(options.registry, alias);
  const entry = await work();
  const isTaken = owner !== undefined && owner.id !== entry.id && entry.alias === alias;
  return isTaken ? { entry, aliasTakenFrom: owner.id } : { entry };
}

async function ownerOf(registry: Registry, alias: Alias): Promise<RegistryEntry | undefined> {
  try {
    const { entry, resolvedBy } = await registry.resolve(alias, { paths: false });
    return resolvedBy === 'alias' ? entry : undefined;
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code === 'not_found_locally' || known.code === 'ambiguous') return undefined;
    throw known;
  }
}

/** Someone who asks to verify a model wants exactly this one: it takes the alias over, unless told otherwise. */
function conflictOf({ aliasConflict, ifExists }: ReceptionOptions): AliasConflict | undefined {
  return aliasConflict ?? (ifExists === 'overwrite' ? 'overwrite' : undefined);
}

/** The other side's alias is only an offer: a model that is here is not refused because another one has that alias. */
async function nameExisting(options: ReceptionOptions, existing: RegistryEntry): Promise<RegistryEntry> {
  const { registry, alias, entry } = options;
  const conflict = conflictOf(options);
  if ((await ownersModel(options)) !== undefined) {
    requireSameAlias(existing, alias);
    return existing;
  }
  if (alias !== undefined) {
    return alias === existing.alias ? existing : await registry.tag(existing.id, alias, { aliasConflict: conflict });
  }
  const offered = allowedAlias(entry.alias);
  if (existing.alias !== undefined || offered === undefined) return existing;
  return await registry.tag(existing.id, offered, { aliasConflict: conflict ?? 'keep' });
}

/** @throws ModelRtcError `refused` when a guest asks for another alias than the owner's model has */
function requireSameAlias({ id, alias: owned }: RegistryEntry, asked: Alias | undefined): undefined {
  if (asked === undefined || asked === owned) return undefined;
  const name = owned === undefined ? 'without an alias' : `as "${owned}"`;
  const sentence = `The model is there already, ${name}, and only its owner can rename it. Push it without --alias.`;
  throw new ModelRtcError('refused', sentence, { details: { id } });
}

async function installPulled(options: ReceiveOptions, pulled: PullOutcome): Promise<ReceivedModel> {
  const { filesFolder, transferredBytes, reusedBytes, resumedBytes } = pulled;
  const manifest = await manifestOf(options, pulled);
  const known = { ...options, digest: manifestDigest(manifest) };
  // Only the files told that the model was here all along, or came another way meanwhile.
  const here = contentsDigest(options.contents) === undefined ? await usableModel(known) : undefined;
  if (here !== undefined) {
    await rm(filesFolder, { recursive: true, force: true });
    return { ...(await alreadyThere(known, here)), transferredBytes, reusedBytes, resumedBytes };
  }
  const installed = await notingOwner(known, () => install(known, manifest, filesFolder));
  return { ...installed, outcome: 'installed', transferredBytes, reusedBytes, resumedBytes };
}

/** Cuts a model that came without a list of chunks as an import would, so that others find its chunks here. */
async function manifestOf({ registry, contents, signal }: ReceiveOptions, pulled: PullOutcome): Promise<Manifest> {
  const { filesFolder, files } = pulled;
  return contentsManifest(contents) ?? (await registry.stagedManifest({ filesFolder, files, signal }));
}

async function install(
  options: ReceiveOptions & ReceptionOptions,
  manifest: Manifest,
  filesFolder: string,
): Promise<RegistryEntry> {
  const { registry, entry, source, safeOnly, signal, additions } = options;
  return await registry.install({
    ...{ manifest, filesFolder, entry, source, safeOnly, signal, additions },
    keepsEntry: (await ownersModel(options)) !== undefined,
    alias: await chooseAlias(options),
    aliasConflict: conflictOf(options),
    // The model that was there is not whole, or should be replaced: a whole one would not have been fetched.
    ifExists: 'overwrite',
  });
}
