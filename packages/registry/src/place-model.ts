import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Alias,
  type Digest,
  type IfExists,
  type Manifest,
  type ModelEntry,
  ModelRtcError,
  modelSize,
} from '@model-rtc/protocol';
import { renamed, requireFreeAlias } from './aliases.ts';
import { deleteAside, replacedFolder, setAside } from './aside-folders.ts';
import { syncFolder } from './atomic-file.ts';
import { checkFiles } from './check-files.ts';
import { freeId } from './identifiers.ts';
import type { Update } from './index-file.ts';
import { changeIndex, type RegistryIndex, type StoredEntry, storedEntrySchema } from './index-schema.ts';
import { type FileStat, readManifestNote, readStatsNote, updateEntryNote, writeNotes } from './model-folder.ts';
import type { RegistryContext } from './registry-context.ts';
import { atStorage } from './storage-error.ts';
import { updateChunks } from './update-chunks.ts';

/** What is known of a model before the registry gives it its names. */
export type EntryDraft = Omit<ModelEntry, 'id' | 'digest' | 'alias' | 'size' | 'fileCount'>;

/** A model that is whole in a staged folder, about to be registered. */
export interface Placement {
  /** A folder in `staging/` with the model's files or links. It is moved, or removed when the model is here already. */
  readonly staged: string;
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly stats: readonly FileStat[];
  readonly draft: EntryDraft;
  readonly alias: Alias | undefined;
  readonly ifExists: IfExists;
  readonly linked: boolean;
  readonly originalPath: string | undefined;
  /** A model that this one takes the place of: its alias moves here and its entry goes. */
  readonly supersedes?: Digest | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Placed {
  readonly stored: StoredEntry;
  /** `kept` when the model was here already, whole. */
  readonly outcome: 'placed' | 'kept';
}

/** What an update leaves to be cleared away once the index is written. */
interface PlacedUpdate extends Placed {
  readonly gone: readonly { readonly stored: StoredEntry; readonly manifest: Manifest | undefined }[];
}

/**
 * Registers a staged model in one step, under the registry's lock: its folder is renamed into `models/`, then the index is
 * written. A process killed between the two leaves a whole folder, which the next one takes in.
 * @throws ModelRtcError `alias_taken`, `refused` when the model is here under another alias, `storage_full`, `storage`
 */
export async function placeModel(context: RegistryContext, placement: Placement): Promise<Placed> {
  const { paths } = context;
  const done = await context.index.update<PlacedUpdate>(
    async (index) => await placeInIndex(context, index, placement),
    placement.signal,
  );
  for (const { stored, manifest } of done.gone) {
    await deleteAside(paths, replacedFolder(paths, stored.folder));
    if (stored.digest !== undefined) await updateChunks(context, 'remove', stored.digest, manifest);
  }
  if (done.outcome === 'kept') await rm(placement.staged, { recursive: true, force: true });
  else await updateChunks(context, 'add', placement.digest, placement.manifest);
  return { stored: done.stored, outcome: done.outcome };
}

async function placeInIndex(
  context: RegistryContext,
  index: RegistryIndex,
  placement: Placement,
): Promise<Update<PlacedUpdate>> {
  const { digest, supersedes } = placement;
  const { paths } = context;
  const superseded = supersedes === undefined || supersedes === digest ? undefined : index.byDigest.get(supersedes);
  const rest = superseded === undefined ? index : changeIndex(index, { remove: [superseded.id] });
  const existing = rest.byDigest.get(digest);
  const keeps = existing !== undefined && placement.ifExists === 'skip' && (await isWhole(context, existing));
  const alias = chooseAlias(rest, placement, existing, superseded, keeps);
  const gone = await Promise.all(
    [superseded, keeps ? undefined : existing]
      .filter((stored) => stored !== undefined)
      .map(async (stored) => ({ stored, manifest: await context.readManifest(stored).catch(() => undefined) })),
  );
  const stored = keeps
    ? await keepExisting(context, existing, alias)
    : await moveIn(context, rest, placement, existing, alias);
  if (superseded !== undefined) await setAside(paths, superseded.folder, 'replaced');
  const outcome = keeps ? 'kept' : 'placed';
  return { result: { stored, outcome, gone }, put: [stored], remove: superseded === undefined ? [] : [superseded.id] };
}

function chooseAlias(
  index: RegistryIndex,
  { alias, digest }: Placement,
  existing: StoredEntry | undefined,
  superseded: StoredEntry | undefined,
  keeps: boolean,
): Alias | undefined {
  const chosen = alias ?? superseded?.alias ?? existing?.alias;
  if (chosen === undefined || chosen === existing?.alias) return chosen;
  if (alias !== undefined && keeps && existing?.alias !== undefined) throw namedOtherwise(existing, alias);
  requireFreeAlias(index, chosen, digest);
  return chosen;
}

function namedOtherwise(existing: StoredEntry, alias: Alias): ModelRtcError {
  const sentence = `This model is here already as "${existing.alias}" (${existing.id}). To rename it, run: model-rtc client tag-model ${existing.id} ${alias}`;
  return new ModelRtcError('refused', sentence, { details: { id: existing.id, alias: existing.alias } });
}

/** Whether a registered model's files and notes are as they were; a damaged one is replaced by whatever comes whole. */
export async function isWhole({ paths }: RegistryContext, stored: StoredEntry): Promise<boolean> {
  const path = join(paths.models, stored.folder);
  try {
    if (stored.digest !== undefined) await readManifestNote(path, stored.digest);
    return (await checkFiles({ path, linked: stored.linked }, await readStatsNote(path))).valid;
  } catch {
    return false;
  }
}

async function keepExisting(
  { paths, clock }: RegistryContext,
  existing: StoredEntry,
  alias: Alias | undefined,
): Promise<StoredEntry> {
  if (existing.alias === alias) return existing;
  const stored = renamed(existing, alias, clock());
  await updateEntryNote(join(paths.models, stored.folder), stored);
  return stored;
}

async function moveIn(
  context: RegistryContext,
  index: RegistryIndex,
  placement: Placement,
  existing: StoredEntry | undefined,
  alias: Alias | undefined,
): Promise<StoredEntry> {
  const { paths } = context;
  const { staged, manifest, stats } = placement;
  const names = await nameModel(context, index, placement, existing);
  const described = describe(placement, existing, names);
  const stored = renamed(described, alias, context.clock());
  await writeNotes(staged, { entry: stored, manifest, stats });
  const place = join(paths.models, stored.folder);
  const isAside = existing !== undefined && (await setAside(paths, stored.folder, 'replaced')) !== undefined;
  await atStorage(place, 'written', async () => {
    try {
      await rename(staged, place);
    } catch (thrown) {
      if (isAside) await rename(replacedFolder(paths, stored.folder), place);
      throw thrown;
    }
    await syncFolder(paths.models);
  });
  return stored;
}

/** A replaced model keeps its id and folder: whoever holds its path goes on finding it. */
async function nameModel(
  { paths }: RegistryContext,
  index: RegistryIndex,
  { digest, draft }: Placement,
  existing: StoredEntry | undefined,
): Promise<Pick<StoredEntry, 'id' | 'folder'>> {
  if (existing !== undefined) return { id: existing.id, folder: existing.folder };
  const inUse = new Set(await readdir(paths.models));
  const folderOf = (id: string): string => `${draft.modelType}_${id}`;
  const id = freeId(index, digest, (candidate) => inUse.has(folderOf(candidate)));
  return { id, folder: folderOf(id) };
}

function describe(
  { digest, manifest, draft, linked, originalPath }: Placement,
  existing: StoredEntry | undefined,
  names: Pick<StoredEntry, 'id' | 'folder'>,
): StoredEntry {
  const paths = new Set<string>(manifest.files.map((file) => file.path));
  const inModel = (path: string | undefined): string | undefined =>
    path !== undefined && paths.has(path) ? path : undefined;
  const described = storedEntrySchema.safeParse({
    ...draft,
    ...names,
    digest,
    alias: existing?.alias,
    aliasSince: existing?.aliasSince,
    formerAliases: existing?.formerAliases ?? [],
    size: modelSize(manifest),
    fileCount: manifest.files.length,
    checkpointPath: inModel(draft.checkpointPath),
    configPath: inModel(draft.configPath),
    // What a person added here outlives the files.
    tags: [...new Set([...(existing?.tags ?? []), ...draft.tags])].slice(0, 64),
    notes: draft.notes ?? existing?.notes,
    linked,
    originalPath,
  });
  if (described.success) return described.data;
  const issue = described.error.issues[0];
  const sentence = `The model cannot be registered: its ${issue?.path.join('.')} is not valid (${issue?.message}).`;
  throw new ModelRtcError('invalid_model', sentence, { cause: described.error });
}
