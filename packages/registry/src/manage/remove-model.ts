import { breakHardLinks, listTree, ownBytes } from '@model-rtc/files';
import { type Digest, type Log, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import { updateChunks } from '../chunks/chunk-index.ts';
import type { RegistryContext } from '../context.ts';
import { resolveRef } from '../entry/resolve.ts';
import type { RegistryEntry, RegistryIndex, StoredEntry } from '../entry/types.ts';
import { notesFolderOf } from '../files/registered-model.ts';
import { withSpareRoom } from '../store/spare-room.ts';
import { deleteTrashed, keepTrashed, moveToTrash, type TrashedFolder, type TrashReason } from '../store/trash.ts';
import type { Update } from '../store/types.ts';
import { findOnlyCopies } from './only-copies.ts';
import type { RemovedModel, RemoveOptions } from './types.ts';

/** A model that leaves the index. Its folder is in the trash until the index is written without it. */
export interface LeavingModel {
  readonly stored: StoredEntry;
  readonly manifest: Manifest | undefined;
  readonly trashed: TrashedFolder | undefined;
}

/**
 * Takes a model out of the registry: its folder goes to the trash, the index is written, then the files go. For readers it is
 * one step. Killed before the index is written the model stays, killed after it the next process finishes.
 */
export async function removeModel(
  context: RegistryContext,
  ref: string,
  options: RemoveOptions,
): Promise<RemovedModel> {
  return await withSpareRoom(context.paths, async () => {
    const { leaving, ...removed } = await removeFromIndex(context, ref, options);
    const keptAt = await clearAway(context, leaving);
    return keptAt === undefined ? removed : { ...removed, keptAt };
  });
}

interface Removed {
  readonly entry: RegistryEntry;
  readonly freedBytes: number;
  readonly leaving: LeavingModel;
}

async function removeFromIndex(context: RegistryContext, ref: string, options: RemoveOptions): Promise<Removed> {
  const { index, log, paths } = context;
  let isTrashed = false;
  try {
    return await index.update(async (known): Promise<Update<Removed>> => {
      const { stored } = await resolveRef(known, ref, paths.models);
      await requireNotNeeded(context, known, stored, options);
      if (options.mayGo !== undefined && !(await options.mayGo(stored)))
        throw new ModelRtcError('refused', `${stored.alias ?? stored.id} is needed again, so it stays.`);
      // A linked model's originals stay where they are, so it has no files to keep.
      const keepsFiles = options.keepFiles === true && !stored.linked;
      const entry = await context.show(stored);
      const freedBytes = keepsFiles ? 0 : await ownBytes(notesFolderOf(paths, stored));
      const leaving = await takeOut(context, stored, keepsFiles ? 'keeping' : 'deleting');
      isTrashed = leaving.trashed !== undefined;
      return { result: { entry, freedBytes, leaving }, remove: [stored.id] };
    });
  } catch (thrown) {
    // The index could not be written: a change that changes nothing brings the folder back.
    if (isTrashed) {
      await index
        .update(async () => ({ result: undefined }))
        .catch((error: unknown) => log.warn({ ref, error }, 'the model comes back when the registry is opened again'));
    }
    throw thrown;
  }
}

async function requireNotNeeded(
  context: RegistryContext,
  known: RegistryIndex,
  stored: StoredEntry,
  { needed = [] }: RemoveOptions,
): Promise<void> {
  const [only] = await findOnlyCopies(context, known, stored, needed);
  if (only === undefined) return;
  const { transferOf, chunks } = only;
  const { id, alias } = stored;
  const sentence = `${alias ?? id} has the only copy here of ${chunks} ${chunks === 1 ? 'chunk' : 'chunks'} that the unfinished transfer of model ${shortName(transferOf)} needs. Finish that transfer first, or give it up: model-rtc client clean-models --older-than 0s`;
  throw new ModelRtcError('refused', sentence, { details: { id, transferOf, chunks } });
}

/** Call it while the index changes. */
export async function takeOut(
  { paths, readManifest }: RegistryContext,
  stored: StoredEntry,
  reason: TrashReason,
): Promise<LeavingModel> {
  // Without its manifest the model's chunks stay in the chunk index, unused. A run has none yet.
  const manifest = await readManifest(stored).catch(() => undefined);
  return { stored, manifest, trashed: await moveToTrash(paths, stored.folder, reason) };
}

/**
 * Call it when the index is written. Links in the folder are removed; their targets stay.
 * @returns where the files are now, when they were to be kept
 */
export async function clearAway(
  context: RegistryContext,
  { stored, manifest, trashed }: LeavingModel,
): Promise<string | undefined> {
  if (stored.digest !== undefined) await updateChunks(context, 'remove', stored.digest, manifest);
  if (trashed?.reason === 'keeping') {
    const keptAt = await keepTrashed(context.paths, trashed);
    await unshareFiles(keptAt, context.log);
    return keptAt;
  }
  if (trashed !== undefined) await deleteTrashed(context.paths, trashed.path);
  return undefined;
}

/**
 * From now on the person may change kept files, and must not change those of another model with them. A file that cannot be
 * copied, because the disk is full, stays shared.
 */
async function unshareFiles(folder: string, log: Log): Promise<void> {
  for (const { path, entry } of await listTree(folder)) {
    if (!entry.isFile()) continue;
    await breakHardLinks(path).catch((error: unknown) => log.warn({ path, error }, 'still shared'));
  }
}

/** Enough of a digest to tell models apart, for a model that may have no id here yet. */
export function shortName(digest: Digest): string {
  return digest.slice(0, 8);
}
