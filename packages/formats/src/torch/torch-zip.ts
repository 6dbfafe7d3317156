import { OWN_CHUNK_TENSOR_BYTES } from '@model-rtc/protocol';
import { StructureError } from '../bytes/structure-error.ts';
import { blockOf } from '../chunks/cut-parts.ts';
import { MAX_PICKLE_BYTES } from '../limits.ts';
import type { ByteReader, Part } from '../types.ts';
import { entryDataStart, openEntry, readZipDirectory, type ZipDirectory, type ZipEntry } from '../zip/zip-directory.ts';
import { pickledTensorNames } from './storage-names.ts';

/** Where torch.save puts the bytes of a storage: `<archive>/data/<key>`. */
const STORAGE = /(?:^|\/)data\/([^/]+)$/;
const PICKLE = /(?:^|\/)data\.pkl$/;

/**
 * The entries of a torch archive (or of another zip of stored entries, such as .npz) as parts, or undefined when the
 * file is no zip. A large tensor is a part by itself; a smaller entry includes its header. What torch writes about
 * the archive (pickle, version) never shares a chunk with tensors, because it changes with every save.
 */
export async function torchZipParts(reader: ByteReader): Promise<Part[] | undefined> {
  const directory = await readZipDirectory(reader);
  if (directory === undefined) return undefined;
  const blockOfEntry = await blocksOf(reader, directory);
  const parts: Part[] = [];
  for (const [i, entry] of directory.entries.entries()) {
    const end = directory.entries[i + 1]?.headerStart ?? directory.directoryStart;
    parts.push(await toPart(reader, entry, end, blockOfEntry(entry)));
  }
  return parts;
}

async function toPart(reader: ByteReader, entry: ZipEntry, end: number, block: string | undefined): Promise<Part> {
  if (!(entry.headerStart + entry.size <= end)) throw new StructureError('entries overlap');
  if (!entry.stored || entry.size < OWN_CHUNK_TENSOR_BYTES) return { start: entry.headerStart, end, block };
  const start = await entryDataStart(reader, entry);
  if (start + entry.size > end) throw new StructureError('entries overlap');
  return { start, end: start + entry.size, block };
}

/** Finds an entry's block by the name that the pickle gives to its storage. Without a pickle, all stored entries form one block. */
async function blocksOf(reader: ByteReader, directory: ZipDirectory): Promise<(entry: ZipEntry) => string | undefined> {
  const pickle = directory.entries.find((entry) => PICKLE.test(entry.name));
  if (pickle === undefined) return (entry) => (entry.stored ? '' : undefined);
  const names = await readNames(reader, pickle);
  return (entry) => {
    const key = STORAGE.exec(entry.name)?.[1];
    return key === undefined ? undefined : blockOf(names.get(key) ?? '');
  };
}

async function readNames(reader: ByteReader, pickle: ZipEntry): Promise<ReadonlyMap<string, string>> {
  if (!pickle.stored || pickle.size > MAX_PICKLE_BYTES) return new Map();
  const content = await openEntry(reader, pickle);
  if (content === undefined) throw new StructureError('the pickle leaves the file');
  return pickledTensorNames(await content.read(0, content.size));
}
