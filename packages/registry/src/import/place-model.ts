import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { atStorage, syncFolder } from '@model-rtc/files';
import {
  type Alias,
  type AliasConflict,
  type Digest,
  type Manifest,
  type ModelEntry,
  ModelRtcError,
  modelSize,
} from '@model-rtc/protocol';
import { updateChunks } from '../chunks/chunk-index.ts';
import type { RegistryContext } from '../context.ts';
import { type DecidedAlias, decideAlias, renamed, wantedForExisting } from '../entry/aliases.ts';
import { othersNamed } from '../entry/full-names.ts';
import { changeIndex, freeId, runAt } from '../entry/registry-index.ts';
import { releaseFolder, withNames } from '../entry/releases.ts';
import { COMPLETENESS_CHECK, type RegistryIndex, type StoredEntry, storedEntrySchema } from '../entry/types.ts';
import { isWhole } from '../files/registered-model.ts';
import { namesMetadataFile, writeMetadataFile } from '../store/metadata-file.ts';
import { updateEntryNote, writeNotes } from '../store/model-notes.ts';
import { deleteTrashed, moveToTrash, replacedFolder } from '../store/trash.ts';
import type { FileStat, Update } from '../store/types.ts';
import { type EntryAdditions, withAdditions } from './additions.ts';
import { hasRelease, olderRelease, otherOwners, releasesFor, unnamed } from './place-releases.ts';
import type { ImportIfExists } from './types.ts';

/** What is known of a model before the registry gives it its names. */
export type EntryDraft = Omit<ModelEntry, 'id' | 'digest' | 'alias' | 'size' | 'fileCount'>;

/** What this machine found in a model's files. */
export type LookedInto = Pick<EntryDraft, 'codeFiles' | 'incomplete' | 'components'>;

/** A model that is whole in a staged folder, about to be registered. */
export interface Placement {
  /** A folder in `staging/` with the model's files or links. It is moved, or removed when the model is here already. */
  readonly staged: string;
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly stats: readonly FileStat[];
  readonly draft: EntryDraft;
  readonly alias: Alias | undefined;
  /** What a person is offered for an alias; it counts where the model that is here is to be renamed. */
  readonly offeredAlias?: Alias | undefined;
  /** What a model that nobody has named yet is to be called, or like it, when no person is there to be asked. */
  readonly firstAlias?: Alias | undefined;
  readonly aliasConflict?: AliasConflict | undefined;
  /** What a person says of the model: it is added to a whole one that is here, too, unless that is to stay as it is. */
  readonly additions?: EntryAdditions | undefined;
  /** What becomes of a whole model of this digest; when undefined, one that has another alias is not renamed silently. */
  readonly ifExists: ImportIfExists | undefined;
  /** What is said of a model that is here stays: the draft counts for a new one only. */
  readonly keepsEntry?: boolean | undefined;
  readonly linked: boolean;
  readonly originalPath: string | undefined;
  /** The folder that has the files under their paths in the model, when nothing is staged and they are served in place. */
  readonly filesIn?: string | undefined;
  readonly foundIn?: string | undefined;
  /** What was said of the model's files at the import, to take the same ones when it is imported again. */
  readonly importedWith?: StoredEntry['importedWith'];
  /** Its full name is its own from now on: other models lose it. */
  readonly takesName?: boolean | undefined;
  /** The license that a person of this machine agreed to. */
  readonly licenseAccepted?: StoredEntry['licenseAccepted'];
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
    await deleteTrashed(paths, replacedFolder(paths, stored.folder));
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
  const { paths } = context;
  const superseded = supersededBy(index, placement);
  const rest = superseded === undefined ? index : changeIndex(index, { remove: [superseded.id] });
  const existing = rest.byDigest.get(placement.digest);
  const keeps = existing !== undefined && placement.ifExists !== 'overwrite' && (await isWhole(context, existing));
  const { alias, formerOwner } = chooseAlias(rest, placement, superseded, existing, keeps);
  const gone = await Promise.all(
    [superseded, keeps ? undefined : existing]
      .filter((stored) => stored !== undefined)
      .map(async (stored) => ({ stored, manifest: await context.readManifest(stored).catch(() => undefined) })),
  );
  const stored = keeps
    ? await keepExisting(context, rest, existing, alias, placement)
    : await moveIn(context, rest, placement, { existing, superseded, alias });
  if (superseded !== undefined && superseded.folder !== stored.folder)
    await moveToTrash(paths, superseded.folder, 'replaced');
  const nameless =
    formerOwner === undefined
      ? []
      : [await rewrite(context, formerOwner, renamed(formerOwner, undefined, context.now()))];
  for (const owner of placement.takesName === true ? othersNamed(rest, stored) : []) {
    const before = nameless.find(({ id }) => id === owner.id) ?? owner;
    nameless.push(await rewrite(context, before, { ...before, name: undefined }));
  }
  for (const owner of otherOwners(rest, stored)) {
    const before = nameless.findLast(({ id }) => id === owner.id) ?? owner;
    nameless.push(await rewrite(context, before, unnamed(before, stored)));
  }
  const outcome = keeps ? 'kept' : 'placed';
  const remove = superseded === undefined ? [] : [superseded.id];
  const put = isDeepStrictEqual(stored, existing) ? nameless : [...nameless, stored];
  return { result: { stored, outcome, gone }, put, remove };
}

/** The model that the placed one replaces, or the run that produced it. */
function supersededBy(index: RegistryIndex, placement: Placement): StoredEntry | undefined {
  const { digest, supersedes, originalPath } = placement;
  const model = supersedes === undefined || supersedes === digest ? undefined : index.byDigest.get(supersedes);
  return model ?? runAt(index, originalPath) ?? olderRelease(index, placement);
}

function chooseAlias(
  index: RegistryIndex,
  { alias, offeredAlias, firstAlias, aliasConflict, ifExists }: Placement,
  superseded: StoredEntry | undefined,
  existing: StoredEntry | undefined,
  keeps: boolean,
): DecidedAlias {
  const isNew = superseded === undefined && existing === undefined;
  if (isNew && alias === undefined) return decideAlias(index, firstAlias, undefined, 'rename');
  const wanted = keeps && existing !== undefined ? wantedForExisting(existing, alias, offeredAlias, ifExists) : alias;
  // Nobody asked for an alias that was only offered, so it takes none away and fails for none.
  const conflict = alias === undefined ? 'rename' : aliasConflict;
  return decideAlias(index, wanted, superseded?.alias ?? existing?.alias, conflict);
}

async function keepExisting(
  context: RegistryContext,
  index: RegistryIndex,
  existing: StoredEntry,
  alias: Alias | undefined,
  placement: Placement,
): Promise<StoredEntry> {
  const { ifExists, additions, draft } = placement;
  // The content is the same, so that what was found in it now holds, even if nobody had looked before.
  const looked = { ...renamed(existing, alias, context.now()), ...codeFilesOf(draft) };
  const named = withNames(looked, releasesFor(index, placement, existing));
  const stored = ifExists === 'skip' || additions === undefined ? named : withAdditions(named, additions);
  return await rewrite(context, existing, stored);
}

function codeFilesOf({
  codeFiles,
  incomplete,
  components,
}: EntryDraft): LookedInto & Pick<StoredEntry, 'completenessCheck'> {
  // Nobody looked for the one without the others.
  return codeFiles === undefined ? {} : { codeFiles, incomplete, components, completenessCheck: COMPLETENESS_CHECK };
}

/** Writes a changed entry into its model's folder; the index is written by whoever asked. */
async function rewrite({ paths }: RegistryContext, before: StoredEntry, after: StoredEntry): Promise<StoredEntry> {
  if (!isDeepStrictEqual(before, after)) await updateEntryNote(join(paths.models, after.folder), after);
  return after;
}

/** What is here of a model before it is placed. */
interface PlacedBefore {
  /** A model of the same content. */
  readonly existing: StoredEntry | undefined;
  readonly superseded: StoredEntry | undefined;
  readonly alias: Alias | undefined;
}

async function moveIn(
  context: RegistryContext,
  index: RegistryIndex,
  placement: Placement,
  { existing, superseded, alias }: PlacedBefore,
): Promise<StoredEntry> {
  const { paths } = context;
  const { staged, manifest, stats } = placement;
  const names = await nameModel(context, index, placement, { existing, superseded });
  const draft = placement.keepsEntry && existing !== undefined ? sameAs(existing, placement) : placement.draft;
  const described = describe({ ...placement, draft }, existing, names);
  const stored = withNames(renamed(described, alias, context.now()), releasesFor(index, placement, existing));
  await writeNotes(staged, { entry: stored, manifest, stats });
  const place = join(paths.models, stored.folder);
  const takesPlace = stored.folder === (existing ?? superseded)?.folder;
  const isTrashed = takesPlace && (await moveToTrash(paths, stored.folder, 'replaced')) !== undefined;
  await atStorage(place, 'written', async () => {
    try {
      await rename(staged, place);
    } catch (thrown) {
      if (isTrashed) await rename(replacedFolder(paths, stored.folder), place);
      throw thrown;
    }
    await syncFolder(paths.models);
  });
  await writeMetadataFile(place, stored, async () => namesMetadataFile(manifest));
  return stored;
}

/** A replaced model keeps its id and folder: whoever holds its path goes on finding it. */
async function nameModel(
  { paths }: RegistryContext,
  index: RegistryIndex,
  placement: Placement,
  { existing, superseded }: Pick<PlacedBefore, 'existing' | 'superseded'>,
): Promise<Pick<StoredEntry, 'id' | 'folder'>> {
  const { digest, draft } = placement;
  if (existing !== undefined) return { id: existing.id, folder: existing.folder };
  const inUse = new Set(await readdir(paths.models));
  const [release] = draft.source === 'static-registry' ? (draft.releases ?? []) : [];
  if (release !== undefined) {
    const folder = releaseFolder(release);
    const id = freeId(index, digest);
    // The path of a version stays when its content changes.
    if (superseded !== undefined && hasRelease(superseded, release)) return { id, folder: superseded.folder };
    if (!inUse.has(folder)) return { id, folder };
  }
  const folderOf = (id: string): string => `${draft.modelType}_${id}`;
  const id = freeId(index, digest, (candidate) => inUse.has(folderOf(candidate)));
  return { id, folder: folderOf(id) };
}

/** What is said of a model now, with what was found in its files. */
function sameAs(existing: StoredEntry, { draft }: Placement): EntryDraft {
  const { id: _, digest: __, alias: ___, size: ____, fileCount: _____, validation: ______, ...said } = existing;
  return { ...said, ...codeFilesOf(draft) };
}

function describe(
  { digest, manifest, draft, linked, originalPath, filesIn, foundIn, importedWith, licenseAccepted }: Placement,
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
    name: draft.name ?? existing?.name,
    notes: draft.notes ?? existing?.notes,
    lineage: draft.lineage ?? existing?.lineage,
    linked,
    originalPath,
    filesIn,
    foundIn,
    completenessCheck: draft.codeFiles === undefined ? undefined : COMPLETENESS_CHECK,
    importedWith,
    licenseAccepted: licenseAccepted ?? existing?.licenseAccepted,
  });
  if (described.success) return described.data;
  const issue = described.error.issues[0];
  const sentence = `The model cannot be registered: its ${issue?.path.join('.')} is not valid (${issue?.message}).`;
  throw new ModelRtcError('invalid_model', sentence, { cause: described.error });
}
