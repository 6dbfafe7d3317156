import { type Database, open as openLmdb, type RootDatabase } from 'lmdb';
import { openSoundLmdb } from '../store/rebuildable-lmdb.ts';

/** The two tables of the chunk index. */
export interface ChunkTables {
  readonly root: RootDatabase;
  /** The start of a chunk's digest -> where it lies, once for each model that has it. */
  readonly places: Database<Buffer, Buffer>;
  /** A model's digest -> its number in `places`; its number, as text -> its digest; `next` -> the next free number. */
  readonly models: Database<string | number, string>;
  close(): Promise<void>;
}

/**
 * Opens the tables, made new when they are missing or damaged: all in them can be made again from the manifests.
 * @param onReset called when damaged ones were thrown away
 */
export async function openChunkTables(folder: string, onReset: (cause: unknown) => void): Promise<ChunkTables> {
  return await openSoundLmdb(folder, openTables, onReset);
}

function openTables(folder: string): ChunkTables {
  const root = openLmdb({ path: folder, maxDbs: 4, noSubdir: false });
  const places = root.openDB<Buffer, Buffer>('places', { keyEncoding: 'binary', encoding: 'binary', dupSort: true });
  const models = root.openDB<string | number, string>('models', {});
  return { root, places, models, close: () => root.close() };
}
