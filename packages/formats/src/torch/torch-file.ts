import { bytesReader, readHead, startsWith } from '../bytes/byte-readers.ts';
import { inflateAll } from '../bytes/inflate.ts';
import { createReadBudget, OverBudgetError } from '../bytes/read-budget.ts';
import { StructureError } from '../bytes/structure-error.ts';
import { calleeName, isKind, itemsOf, type PickledValue } from '../pickle/values.ts';
import { type PickleWalk, walkPickle } from '../pickle/walk-pickle.ts';
import type { ByteReader, ReadOptions } from '../types.ts';
import { entryDataStart, openEntry, readZipDirectory, ZIP_HEAD, type ZipEntry } from '../zip/zip-directory.ts';
import { storageOf } from './torch-tensors.ts';

/** The bytes of a storage in the file. */
export interface StoragePlace {
  readonly start: number;
  readonly size: number;
}

/** What torch.save wrote, read without running any of it. */
export interface TorchFile {
  readonly value: PickledValue;
  /** Undefined for a storage that is not in the file, or not as plain bytes. */
  storage(key: string): Promise<StoragePlace | undefined>;
}

const DATA_PICKLE = /^(?:(.*)\/)?data\.pkl$/;
/** The number that torch's old format begins with, as a pickle of its own. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;

/**
 * A file of torch.save, of the zip format or of the one before torch 1.6; undefined for any other file and for a broken
 * one. Source: PyTorch torch/serialization.py.
 */
export async function readTorchFile(reader: ByteReader, options: ReadOptions): Promise<TorchFile | undefined> {
  try {
    const isZip = startsWith(await readHead(reader, 4), ZIP_HEAD);
    return isZip ? await readZipFormat(reader, options) : await readLegacyFormat(reader, options);
  } catch (error) {
    if (error instanceof StructureError || error instanceof OverBudgetError) return undefined;
    throw error;
  }
}

async function readZipFormat(reader: ByteReader, options: ReadOptions): Promise<TorchFile | undefined> {
  const entries = (await readZipDirectory(reader))?.entries ?? [];
  const pickle = entries.find(({ name }) => DATA_PICKLE.test(name));
  if (pickle === undefined) return undefined;
  const bytes = await unpackEntry(reader, pickle, options);
  const walk = bytes && (await walkPickle(bytes, 0, options));
  if (walk?.outcome !== 'stop') return undefined;
  const folder = DATA_PICKLE.exec(pickle.name)?.[1];
  const prefix = folder === undefined ? 'data/' : `${folder}/data/`;
  const storages = new Map(entries.map((entry) => [entry.name, entry]));
  return {
    value: walk.value,
    async storage(key) {
      const entry = storages.get(`${prefix}${key}`);
      if (entry?.stored !== true) return undefined;
      const start = await entryDataStart(reader, entry).catch(() => undefined);
      return start === undefined || start + entry.size > reader.size ? undefined : { start, size: entry.size };
    },
  };
}

async function unpackEntry(
  reader: ByteReader,
  entry: ZipEntry,
  { inflate, budget = createReadBudget() }: ReadOptions,
): Promise<ByteReader | undefined> {
  const content = await openEntry(reader, entry);
  if (content === undefined || entry.stored) return content;
  const { bytes, outcome } = await inflateAll(content, 'raw', { inflate, budget });
  return outcome === 'whole' ? bytesReader(bytes) : undefined;
}

/** Five pickles: the magic number, the version, the writing system, the value, the keys of the storages; then those. */
async function readLegacyFormat(reader: ByteReader, { signal, budget }: ReadOptions): Promise<TorchFile | undefined> {
  const magic = await walkPickle(reader, 0, { signal, budget });
  if (magic.value !== LEGACY_MAGIC) return undefined;
  const walks: PickleWalk[] = [magic];
  while (walks.length < 5) {
    const walk = await walkPickle(reader, walks.at(-1)?.end ?? 0, { signal, budget });
    if (walk.outcome !== 'stop') return undefined;
    walks.push(walk);
  }
  const [, , , content, keys] = walks as [PickleWalk, PickleWalk, PickleWalk, PickleWalk, PickleWalk];
  const places = await legacyStorages(reader, keys, itemBytesByKey(content.value));
  return { value: content.value, storage: async (key) => places.get(key) };
}

/** Each storage has the number of its items, then the items. */
async function legacyStorages(
  reader: ByteReader,
  { end, value }: PickleWalk,
  itemBytes: ReadonlyMap<string, number>,
): Promise<Map<string, StoragePlace>> {
  const places = new Map<string, StoragePlace>();
  let at = end;
  for (const key of itemsOf(value) ?? []) {
    const bytes = typeof key === 'string' ? itemBytes.get(key) : undefined;
    // The size of a storage that no tensor uses is unknown, and so is the start of the next one.
    if (bytes === undefined || at + 8 > reader.size) break;
    const head = await reader.read(at, 8);
    const items = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
    const size = items * bytes;
    if (!(at + 8 + size <= reader.size)) break;
    places.set(key as string, { start: at + 8, size });
    at += 8 + size;
  }
  return places;
}

/** The bytes of one item of each storage that a value refers to. */
export function itemBytesByKey(value: PickledValue): Map<string, number> {
  const found = new Map<string, number>();
  const seen = new Set<PickledValue>();
  const waiting: PickledValue[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    const storage = storageOf(next);
    if (storage !== undefined) found.set(storage.key, storage.itemBytes);
    else for (const part of partsOf(next)) waiting.push(part);
  }
  return found;
}

function partsOf(value: PickledValue): Iterable<PickledValue> {
  if (isKind(value, 'dict')) return value.entries?.values() ?? [];
  if (!isKind(value, 'call')) return itemsOf(value) ?? [];
  const inner = calleeName(value) === undefined ? [value.callee] : [];
  return [...inner, value.args, value.state ?? null, ...(value.entries?.values() ?? [])];
}
