import { type Digest, MAX_CHUNK_BYTES } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import { openModelFiles } from '../files/model-files.ts';
import { readInto } from '../files/model-reader.ts';
import { notesFolderOf, placeOf } from '../files/registered-model.ts';
import type { ModelFiles } from '../files/types.ts';
import { readStatsNote } from '../store/model-notes.ts';
import type { ChunkLocation, LocatedChunks } from './types.ts';

/** Models whose files stay open between reads. */
const OPEN_MODELS = 4;

export function createLocatedChunks(context: RegistryContext): LocatedChunks {
  const { chunks, index, log, paths } = context;
  const inIndex = new Set<Digest>();
  const open = new Map<StoredEntry, Promise<ModelFiles>>();

  async function locate(digests: Iterable<Digest>, except?: Digest): Promise<Map<Digest, ChunkLocation>> {
    const wanted = [...digests];
    const known = await index.read();
    for (const isLast of [false, true]) {
      try {
        await indexMissing(context, known, inIndex);
        return await chunks.locate(wanted, (model) => model !== except && known.byDigest.has(model));
      } catch (thrown) {
        log.warn({ error: thrown }, 'the chunk index cannot be read');
        if (isLast) break;
        inIndex.clear();
        await chunks.reset().catch(() => undefined);
      }
    }
    return new Map();
  }

  async function read(
    { model, offset, size }: ChunkLocation,
    into: Uint8Array | undefined,
  ): Promise<Uint8Array | undefined> {
    const stored = (await index.read()).byDigest.get(model);
    if (stored === undefined || size > MAX_CHUNK_BYTES) return undefined;
    try {
      return await readInto(await filesOf(stored), offset, size, into);
    } catch (thrown) {
      log.debug({ model, error: thrown }, 'a chunk on this disk cannot be read any more');
      return undefined;
    }
  }

  function filesOf(stored: StoredEntry): Promise<ModelFiles> {
    const place = placeOf(paths, stored);
    const files =
      open.get(stored) ?? readStatsNote(notesFolderOf(paths, stored)).then((stats) => openModelFiles(place, stats));
    open.delete(stored);
    open.set(stored, files);
    files.catch(() => open.delete(stored));
    for (const [oldest] of [...open].slice(0, -OPEN_MODELS)) void forget(oldest);
    return files;
  }

  async function forget(stored: StoredEntry): Promise<void> {
    const files = open.get(stored);
    open.delete(stored);
    await files?.then((opened) => opened.close()).catch(() => undefined);
  }

  async function close(): Promise<void> {
    await Promise.all([...open.keys()].map(forget));
  }

  return { locate, read, close };
}

/** Adds the models that other processes registered, or all models when the index is new. */
export async function indexMissing(
  { chunks, log, readManifest }: RegistryContext,
  known: RegistryIndex,
  /** Models that need no look-up. Those that were looked up are added to it. */
  inIndex: Set<Digest> = new Set(),
): Promise<void> {
  for (const [digest, stored] of known.byDigest) {
    if (inIndex.has(digest)) continue;
    inIndex.add(digest);
    if (await chunks.has(digest)) continue;
    const manifest = await readManifest(stored).catch((thrown: unknown) => {
      log.warn({ digest, error: thrown }, "a model's manifest cannot be read: its chunks are not reused");
    });
    if (manifest !== undefined) await chunks.add(digest, manifest);
  }
}
