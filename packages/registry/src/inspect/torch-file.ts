import { type ByteReader, entryDataStart, readZipDirectory, StructureError, type ZipEntry } from '@model-rtc/formats';
import { bytesReader, readHead, sliceReader, startsWith } from './byte-readers.ts';
import { inflateAll } from './inflate.ts';
import { calleeName, isKind, itemsOf, type PickledValue } from './pickle/values.ts';
import { type PickleWalk, walkPickle } from './pickle/walk-pickle.ts';
import { storageOf } from './torch-tensors.ts';

/** Where the bytes of a storage are in the file. */
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

const ZIP_HEAD = [0x50, 0x4b, 0x03, 0x04];
const DATA_PICKLE = /^(?:(.*)\/)?data\.pkl$/;
/** The number that torch's old format begins with, as a pickle of its own. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;

/**
 * A file of torch.save, of the zip format or of the one before torch 1.6; undefined for any other file and for a broken
 * one. Source: PyTorch torch/serialization.py.
 */
export async function readTorchFile(reader: ByteReader, signal?: AbortSignal): Promise<TorchFile | undefined> {
  try {
    const isZip = startsWith(await readHead(reader, 4), ZIP_HEAD);
    return isZip ? await readZipFormat(reader, signal) : await readLegacyFormat(reader, signal);
  } catch (error) {
    if (error instanceof StructureError) return undefined;
    throw error;
  }
}

async function readZipFormat(reader: ByteReader, signal: AbortSignal | undefined): Promise<TorchFile | undefined> {
  const entries = (await readZipDirectory(reader))?.entries ?? [];
  const pickle = entries.find(({ name }) => DATA_PICKLE.test(name));
  if (pickle === undefined) return undefined;
  const bytes = await openEntry(reader, pickle);
  const walk = bytes === undefined ? undefined : await walkPickle(bytes, 0, { signal });
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

async function openEntry(reader: ByteReader, entry: ZipEntry): Promise<ByteReader | undefined> {
  const content = sliceReader(reader, await entryDataStart(reader, entry), entry.size);
  if (entry.stored) return content;
  const whole = await inflateAll(content, 'raw');
  return whole === undefined ? undefined : bytesReader(whole);
}

/** Five pickles: the magic number, the version, the writing system, the value, the keys of the storages; then those. */
async function readLegacyFormat(reader: ByteReader, signal: AbortSignal | undefined): Promise<TorchFile | undefined> {
  const magic = await walkPickle(reader, 0, { signal });
  if (magic.value !== LEGACY_MAGIC) return undefined;
  const walks: PickleWalk[] = [magic];
  while (walks.length < 5) {
    const walk = await walkPickle(reader, walks.at(-1)?.end ?? 0, { signal });
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
    // Of a storage that no tensor uses the size is not known, and with it where the next one is.
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
function itemBytesByKey(value: PickledValue): Map<string, number> {
  const found = new Map<string, number>();
  const seen = new Set<PickledValue>();
  const waiting: PickledValue[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    const storage = storageOf(next);
    if (storage !== undefined) found.set(storage.key, storage.itemBytes);
    else waiting.push(...partsOf(next));
  }
  return found;
}

function partsOf(value: PickledValue): Iterable<PickledValue> {
  if (isKind(value, 'dict')) return value.entries?.values() ?? [];
  if (!isKind(value, 'call')) return itemsOf(value) ?? [];
  const inner = calleeName(value) === undefined ? [value.callee] : [];
  return [...inner, value.args, value.state ?? null, ...(value.entries?.values() ?? [])];
}
