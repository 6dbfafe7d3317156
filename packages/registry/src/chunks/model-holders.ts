import type { RegistryContext } from '../context.ts';
import type { StoredEntry } from '../entry/types.ts';
import { openModelFiles } from '../files/model-files.ts';
import { notesFolderOf, placeOf } from '../files/registered-model.ts';
import { readStatsNote } from '../store/model-notes.ts';
import type { ChunkHolders } from './located-chunks.ts';

/** The registered models, as holders of chunks. */
export function modelHolders({ chunks, log, index, readManifest, paths }: RegistryContext): ChunkHolders<StoredEntry> {
  return {
    chunks,
    log,
    known: async () => (await index.read()).byDigest,
    manifest: readManifest,
    open: async (stored) => openModelFiles(placeOf(paths, stored), await readStatsNote(notesFolderOf(paths, stored))),
  };
}
