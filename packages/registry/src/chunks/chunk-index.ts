import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Digest, isDigest, type Log, type Manifest, type ManifestChunk } from '@model-rtc/protocol';
import type { Database, RootDatabase } from 'lmdb';
import type { RegistryContext } from '../context.ts';
import { openSoundLmdb, removeLmdb } from '../store/rebuildable-lmdb.ts';
import type { ChunkIndex, ChunkLocation } from './types.ts';

/** Half a SHA-256 finds a chunk, which keeps a million keys small. Whoever reads the bytes verifies all of it. */
const KEY_BYTES = 16;
/** A place: the model's number (4 bytes), the offset in its files (6) and the chunk's size (3), big-endian. */
const PLACE_BYTES = 13;
const MAX_OFFSET = 2 ** 48 - 1;
/** The event loop runs after so many: LMDB's calls are synchronous, and peers wait for answers. */
const LOOKUPS_AT_ONCE = 4096;
const ROWS_AT_ONCE = 4096;
/** A model of so many chunks is added in some milliseconds, whenever that is. */
const LEFT_CHUNKS = 256;

interface ChunkTables {
  readonly root: RootDatabase;
  /** The start of a chunk's digest -> where it lies, once for each model that has it. */
  readonly places: Database<Buffer, Buffer>;
  /** A model's digest -> its number in `places`; its number, as text -> its digest; `next` -> the next free number. */
  readonly models: Database<string | number, string>;
}

function openTables(root: RootDatabase): ChunkTables {
  const places = root.openDB<Buffer, Buffer>('places', { keyEncoding: 'binary', encoding: 'binary', dupSort: true });
  return { root, places, models: root.openDB<string | number, string>('models', {}) };
}

/** @param folder made and opened on first use, since most commands never ask for a chunk */
export function createChunkIndex(folder: string, log: Log): ChunkIndex {
  let opened: Promise<ChunkTables> | undefined;

  const tables = (): Promise<ChunkTables> => {
    opened ??= openSoundLmdb(folder, openTables, (cause) => {
      log.warn({ folder, error: cause }, 'the chunk index was damaged: it is built again from the manifests');
    });
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };

  async function close(): Promise<void> {
    const closing = opened;
    opened = undefined;
    await (await closing)?.root.close();
  }

  async function reset(): Promise<void> {
    await close().catch(() => undefined);
    await removeLmdb(folder);
  }

  return {
    get isOpen() {
      return opened !== undefined;
    },
    has: async (model) => typeof (await tables()).models.get(model) === 'number',
    add: async (model, manifest) => await addModel(await tables(), model, manifest),
    remove: async (model, manifest) => await removeModel(await tables(), model, manifest),
    locate: async (chunks, isWanted) => await locateIn(await tables(), chunks, isWanted),
    reset,
    close,
  };
}

/** Writes the places in steps and the model's number last: the places count for nothing until it is there. */
async function addModel(tables: ChunkTables, model: Digest, manifest: Manifest): Promise<void> {
  const { root, models, places } = tables;
  const number = await root.transaction(() => {
    if (typeof models.get(model) === 'number') return undefined;
    const next = models.get('next');
    const free = typeof next === 'number' ? next : 0;
    models.putSync('next', free + 1);
    return free;
  });
  if (number === undefined) return;
  await inSteps(tables, placesOf(manifest, number), ({ key, place }) => places.putSync(key, place));
  await root.transaction(() => {
    // Another process may have added it meanwhile, under a number of its own.
    if (typeof models.get(model) === 'number') return;
    models.putSync(model, number);
    models.putSync(String(number), model);
  });
}

async function removeModel(tables: ChunkTables, model: Digest, manifest: Manifest | undefined): Promise<void> {
  const { root, models, places } = tables;
  const number = await root.transaction(() => {
    const known = models.get(model);
    if (typeof known !== 'number') return undefined;
    models.removeSync(model);
    models.removeSync(String(known));
    return known;
  });
  if (number === undefined || manifest === undefined) return;
  await inSteps(tables, placesOf(manifest, number), ({ key, place }) => places.removeSync(key, place));
}

/** A transaction for each step. Neighbouring keys share pages, so that steps in their order write few of them twice. */
async function inSteps({ root }: ChunkTables, rows: Iterable<PlaceRow>, write: (row: PlaceRow) => void): Promise<void> {
  const iterator = rows[Symbol.iterator]();
  for (let isDone = false; !isDone; ) {
    // Inside a transaction each call is done at once, and its failure undoes the step.
    await root.transaction(() => {
      for (let i = 0; i < ROWS_AT_ONCE && !isDone; i++) {
        const next = iterator.next();
        if (next.done) isDone = true;
        else write(next.value);
      }
    });
    await nextTurn();
  }
}

interface PlaceRow {
  readonly key: Buffer;
  readonly place: Buffer;
}

/** Each chunk's first place in a model, in the order of the keys. */
function* placesOf({ chunks }: Manifest, number: number): Iterable<PlaceRow> {
  // Numbers sort many times quicker than keys; 48 bits of a digest tell all but a few chunks apart.
  const starts = Float64Array.from(chunks, ({ digest }) => Number.parseInt(digest.slice(0, 12), 16));
  const offsets = new Float64Array(chunks.length);
  for (let i = 1; i < chunks.length; i++) offsets[i] = (offsets[i - 1] as number) + (chunks[i - 1]?.size ?? 0);
  const order = Uint32Array.from(chunks, (_, i) => i);
  order.sort((a, b) => (starts[a] as number) - (starts[b] as number) || a - b);
  let last: Digest | undefined;
  for (const i of order) {
    const { digest, size } = chunks[i] as ManifestChunk;
    const offset = offsets[i] as number;
    if (digest === last || offset > MAX_OFFSET) continue;
    last = digest;
    yield { key: keyOf(digest), place: encodePlace(number, offset, size) };
  }
}

async function locateIn(
  { models, places }: ChunkTables,
  chunks: Iterable<Digest>,
  isWanted: (model: Digest) => boolean,
): Promise<Map<Digest, ChunkLocation>> {
  const wanted = new Map<number, Digest | undefined>();
  const modelOf = (number: number): Digest | undefined => {
    if (!wanted.has(number)) {
      const model = models.get(String(number));
      wanted.set(number, typeof model === 'string' && isDigest(model) && isWanted(model) ? model : undefined);
    }
    return wanted.get(number);
  };
  const located = new Map<Digest, ChunkLocation>();
  let looked = 0;
  for (const chunk of chunks) {
    if (++looked % LOOKUPS_AT_ONCE === 0) await nextTurn();
    for (const place of places.getValues(keyOf(chunk))) {
      if (place.length !== PLACE_BYTES) continue;
      const model = modelOf(place.readUInt32BE(0));
      if (model === undefined) continue;
      located.set(chunk, { model, offset: place.readUIntBE(4, 6), size: place.readUIntBE(10, 3) });
      break;
    }
  }
  return located;
}

function keyOf(chunk: Digest): Buffer {
  return Buffer.from(chunk.slice(0, KEY_BYTES * 2), 'hex');
}

function encodePlace(number: number, offset: number, size: number): Buffer {
  const place = Buffer.alloc(PLACE_BYTES);
  place.writeUInt32BE(number, 0);
  place.writeUIntBE(offset, 4, 6);
  place.writeUIntBE(size, 10, 3);
  return place;
}

/**
 * Updates the chunk index after a change. The index only saves transfers, so its failure must not fail the change. A small model is not
 * added to an index that this process does not use: loading LMDB takes longer than importing the model, and the next process that looks
 * for chunks adds what is missing.
 */
export async function updateChunks(
  { chunks, log }: Pick<RegistryContext, 'chunks' | 'log'>,
  change: 'add' | 'remove',
  digest: Digest,
  manifest: Manifest | undefined,
): Promise<void> {
  try {
    if (change === 'remove') await chunks.remove(digest, manifest);
    else if (!chunks.isOpen && (manifest?.chunks.length ?? 0) <= LEFT_CHUNKS) return;
    else if (manifest !== undefined) await chunks.add(digest, manifest);
  } catch (thrown) {
    log.warn({ digest, error: thrown }, 'the chunk index could not be updated');
  }
}
