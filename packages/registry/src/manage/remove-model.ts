import { join } from 'node:path';
import { breakHardLinks, listTree } from '@model-rtc/files';
import type { Log } from '@model-rtc/protocol';
import { type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import { updateChunks } from '../chunks/chunk-index.ts';
import type { RegistryContext } from '../context.ts';
import { resolveRef } from '../entry/resolve.ts';
import type { RegistryEntry, RegistryIndex, StoredEntry } from '../entry/types.ts';
import { ownBytes } from '../files/own-bytes.ts';
import { type AsideFolder, deleteAside, keepAside, setAside } from '../store/trash.ts';
import type { Update } from '../store/types.ts';
import { findOnlyCopies, type OnlyCopies } from './only-copies.ts';
import type { RemovedModel, RemoveOptions } from './types.ts';

/** A model that the index has no more, whose files are still to be cleared away. */
interface TakenOut {
  readonly entry: RegistryEntry;
  readonly manifest: Manifest | undefined;
  readonly freedBytes: number;
  readonly aside: AsideFolder | undefined;
}

/**
 * Takes a model out of the registry: its folder is set aside, the index is written, then the files go. For readers it is one
 * step. Killed before the index is written the model stays, killed after it the next process finishes.
 */
export async function removeModel(
  context: RegistryContext,
  ref: string,
  options: RemoveOptions,
): Promise<RemovedModel> {
  const { entry, manifest, freedBytes, aside } = await takeOut(context, ref, options);
  if (entry.digest !== undefined) await updateChunks(context, 'remove', entry.digest, manifest);
  if (aside === undefined) return { entry, freedBytes };
  if (aside.reason === 'keeping') {
    const keptAt = await keepAside(context.paths, aside);
    await unshareFiles(keptAt, context.log);
    return { entry, freedBytes, keptAt };
  }
  await deleteAside(context.paths, aside.path);
  return { entry, freedBytes };
}

/**
 * The person may change kept files from now on, and must not change those of another model with them. A file that cannot be
 * copied, for lack of room, stays shared.
 */
async function unshareFiles(folder: string, log: Log): Promise<void> {
  for (const { path, entry } of await listTree(folder)) {
    if (!entry.isFile()) continue;
    await breakHardLinks(path).catch((error: unknown) => log.warn({ path, error }, 'still shared'));
  }
}

async function takeOut(context: RegistryContext, ref: string, options: RemoveOptions): Promise<TakenOut> {
  const { index, log } = context;
  let isAside = false;
  try {
    return await index.update(async (known): Promise<Update<TakenOut>> => {
      const { stored } = await resolveRef(known, ref, context.paths.models);
      const taken = await prepare(context, known, stored, options);
      const aside = await setAside(context.paths, stored.folder, keepsFiles(stored, options) ? 'keeping' : 'deleting');
      isAside = aside !== undefined;
      return { result: { ...taken, aside }, remove: [stored.id] };
    });
  } catch (thrown) {
    // The index could not be written: a change that changes nothing brings the folder back.
    if (isAside) {
      await index
        .update(async () => ({ result: undefined }))
        .catch((error: unknown) => log.warn({ ref, error }, 'the model comes back when the registry is opened again'));
    }
    throw thrown;
  }
}

/** Originals of links stay where they are, so there is nothing of a linked model to keep. */
function keepsFiles(stored: StoredEntry, { keepFiles = false }: RemoveOptions): boolean {
  return keepFiles && !stored.linked;
}

async function prepare(
  context: RegistryContext,
  known: RegistryIndex,
  stored: StoredEntry,
  options: RemoveOptions,
): Promise<Omit<TakenOut, 'aside'>> {
  const place = join(context.paths.models, stored.folder);
  const [onlyCopies] = await findOnlyCopies(context, known, stored, options.needed ?? []);
  if (onlyCopies !== undefined) throw neededElsewhere(stored, onlyCopies);
  return {
    entry: await context.show(stored),
    // Without it the model's chunks stay in the chunk index, unused.
    manifest: await context.readManifest(stored).catch(() => undefined),
    freedBytes: keepsFiles(stored, options) ? 0 : await ownBytes(place),
  };
}

function neededElsewhere({ id, alias }: StoredEntry, { transferOf, chunks }: OnlyCopies): ModelRtcError {
  const unfinished = shortName(transferOf);
  const sentence = `${alias ?? id} has the only copy here of ${chunks} ${chunks === 1 ? 'chunk' : 'chunks'} that the unfinished transfer of model ${unfinished} needs. Finish that transfer first, or give it up: model-rtc client clean-models --older-than 0s`;
  return new ModelRtcError('refused', sentence, { details: { id, transferOf, chunks } });
}

/** Enough of a digest to tell models apart; it may have no id here yet. */
export function shortName(digest: Digest): string {
  return digest.slice(0, 8);
}
