import { bytesReader, readHead, startsWith } from '../bytes/byte-readers.ts';
import { inflateAll } from '../bytes/inflate.ts';
import { latin1Text } from '../bytes/latin1.ts';
import { createReadBudget, OverBudgetError } from '../bytes/read-budget.ts';
import { StructureError } from '../bytes/structure-error.ts';
import { calleeName, isKind, itemsOf, type PickledReference, type PickledValue } from '../pickle/values.ts';
import { type PickleWalk, walkPickle } from '../pickle/walk-pickle.ts';
import type { ByteReader, ReadOptions } from '../types.ts';
import {
  entryDataStart,
  hasOverlaps,
  openEntry,
  readZipDirectory,
  ZIP_HEAD,
  type ZipEntry,
} from '../zip/zip-directory.ts';
import { storageOf } from './torch-tensors.ts';

/** The bytes of a storage in the file. */
export interface StoragePlace {
  readonly start: number;
  readonly size: number;
}

/** What torch.save wrote, read without running any of it. */
export interface TorchFile {
  readonly value: PickledValue;
  /** Whether the value has all that the file says; a very large one is kept in part. */
  readonly keepsAll: boolean;
  /** How the numbers of the storages are written. */
  readonly byteOrder: 'little' | 'big';
  /** @throws StructureError for a storage that is not in the file, or not as plain bytes of its own */
  storage(key: string): Promise<StoragePlace>;
}

const DATA_PICKLE = /^(?:(.*)\/)?data\.pkl$/;
/** `little` or `big`. */
const MAX_BYTE_ORDER_BYTES = 16;
/** The number that torch's old format begins with, as a pickle of its own. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;

/**
 * A file of torch.save, of the zip format or of the one before torch 1.6; undefined for any other file and for a broken
 * one. Source: PyTorch torch/serialization.py.
 */
export async function readTorchFile(reader: ByteReader, options: ReadOptions): Promise<TorchFile | undefined> {
  try {
    return await openTorchFile(reader, options);
  } catch (error) {
    if (error instanceof StructureError || error instanceof OverBudgetError) return undefined;
    throw error;
  }
}

/**
 * The same for whoever must know why a file cannot be read.
 * @throws StructureError for a broken file, OverBudgetError
 */
export async function openTorchFile(reader: ByteReader, options: ReadOptions): Promise<TorchFile | undefined> {
  const isZip = startsWith(await readHead(reader, 4), ZIP_HEAD);
  return isZip ? await openZipFormat(reader, options) : await openLegacyFormat(reader, options);
}

async function openZipFormat(reader: ByteReader, options: ReadOptions): Promise<TorchFile | undefined> {
  const directory = await readZipDirectory(reader);
  const entries = directory?.entries ?? [];
  const pickle = entries.find(({ name }) => DATA_PICKLE.test(name));
  if (directory === undefined || pickle === undefined) return undefined;
  const { value, keepsAll } = wholeWalk(await walkPickle(await unpackEntry(reader, pickle, options), 0, options));
  const folder = DATA_PICKLE.exec(pickle.name)?.[1];
  const prefix = folder === undefined ? '' : `${folder}/`;
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const overlaps = hasOverlaps(directory);
  return {
    value,
    keepsAll,
    byteOrder: await readByteOrder(reader, byName.get(`${prefix}byteorder`), options),
    async storage(key) {
      const entry = byName.get(`${prefix}data/${key}`);
      if (entry === undefined) throw notThere(key);
      if (!entry.stored) throw new StructureError(`its storage ${JSON.stringify(key)} is compressed`);
      if (overlaps) throw new StructureError('its entries overlap');
      const start = await entryDataStart(reader, entry);
      if (!(start + entry.size <= directory.directoryStart)) throw pastEnd(key);
      return { start, size: entry.size };
    },
  };
}

function wholeWalk(walk: PickleWalk): PickleWalk {
  if (walk.outcome === 'stop') return walk;
  throw new StructureError(`its pickle cannot be read: ${walk.problem}`);
}

function notThere(key: string): StructureError {
  return new StructureError(`its storage ${JSON.stringify(key)} is missing`);
}

function pastEnd(key: string): StructureError {
  return new StructureError(`its storage ${JSON.stringify(key)} goes on behind its end`);
}

async function unpackEntry(
  reader: ByteReader,
  entry: ZipEntry,
  { inflate, budget = createReadBudget() }: ReadOptions,
): Promise<ByteReader> {
  const content = await openEntry(reader, entry);
  if (content === undefined) throw new StructureError(`its entry ${JSON.stringify(entry.name)} goes on behind its end`);
  if (entry.stored) return content;
  const { bytes, outcome } = await inflateAll(content, 'raw', { inflate, budget });
  if (outcome !== 'whole') throw new StructureError(`its entry ${JSON.stringify(entry.name)} cannot be unpacked`);
  return bytesReader(bytes);
}

/** Torch before version 2.1 does not say it, and ran on little-endian machines. */
async function readByteOrder(
  reader: ByteReader,
  entry: ZipEntry | undefined,
  options: ReadOptions,
): Promise<TorchFile['byteOrder']> {
  if (entry === undefined) return 'little';
  const content = await unpackEntry(reader, entry, options);
  const text = latin1Text(await readHead(content, MAX_BYTE_ORDER_BYTES));
  if (text === 'little' || text === 'big') return text;
  throw new StructureError('it does not say in which order the bytes of its numbers are');
}

/** Five pickles: the magic number, the version, the writing system, the value, the keys of the storages; then those. */
async function openLegacyFormat(reader: ByteReader, { signal, budget }: ReadOptions): Promise<TorchFile | undefined> {
  const magic = await walkPickle(reader, 0, { signal, budget });
  if (magic.value !== LEGACY_MAGIC) return undefined;
  const walks: PickleWalk[] = [magic];
  while (walks.length < 5) walks.push(wholeWalk(await walkPickle(reader, walks.at(-1)?.end ?? 0, { signal, budget })));
  const [, , , content, keys] = walks as [PickleWalk, PickleWalk, PickleWalk, PickleWalk, PickleWalk];
  const places = await legacyStorages(reader, keys, itemBytesByKey(content.value));
  return {
    value: content.value,
    keepsAll: content.keepsAll && keys.keepsAll,
    // On any machine, whatever the writing system is that the file names.
    byteOrder: 'little',
    async storage(key) {
      const place = places.get(key);
      if (place === undefined) throw notThere(key);
      return place;
    },
  };
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
  for (const reference of referencesIn(value)) {
    const storage = storageOf(reference);
    if (storage !== undefined) found.set(storage.key, storage.itemBytes);
  }
  return found;
}

/** What a value has its loader look up, each once; the value may refer to itself. */
export function* referencesIn(value: PickledValue): Generator<PickledReference> {
  const seen = new Set<PickledValue>();
  const waiting: PickledValue[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    if (isKind(next, 'reference')) yield next;
    else for (const part of partsOf(next)) waiting.push(part);
  }
}

function partsOf(value: PickledValue): Iterable<PickledValue> {
  if (isKind(value, 'dict')) return value.entries?.values() ?? [];
  if (!isKind(value, 'call')) return itemsOf(value) ?? [];
  const inner = calleeName(value) === undefined ? [value.callee] : [];
  return [...inner, value.args, value.state ?? null, ...(value.entries?.values() ?? [])];
}
