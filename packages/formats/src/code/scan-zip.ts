import { bytesReader } from '../bytes/byte-readers.ts';
import { inflateAll, inflateHead } from '../bytes/inflate.ts';
import { StructureError } from '../bytes/structure-error.ts';
import type { ByteReader } from '../types.ts';
import { openEntry, readZipDirectory, type ZipEntry } from '../zip/zip-directory.ts';
import { isPickleName, isProgramName } from './file-kinds.ts';
import { type Findings, mergeFindings, ONLY_DATA, PLAIN_CODE, unreadable } from './findings.ts';
import type { ScanJob } from './scan-job.ts';
import { scanKerasConfig } from './scan-keras.ts';

/** Entries that are inspected; those that hold only a tensor do not count. */
const MAX_ENTRIES = 20_000;
/** Where torch puts the bytes of a storage, next to a pickle that names it. Nothing loads them as a pickle. */
const STORAGE = /(?:^|\/)(?:data|tensors|constants)\/\d+$/;
const TORCH_PICKLE = /(?:^|\/)(?:data|constants)\.pkl$/i;
const KERAS_CONFIG = /^config\.json$/i;

/** Any archive, such as torch's, numpy's or Keras's. Inspects each entry that may run code. */
export async function scanZip(job: ScanJob, reader: ByteReader): Promise<Findings> {
  const entries = (await unlessBroken(readZipDirectory(reader)))?.entries;
  if (entries === undefined) return unreadable('an archive that cannot be read');
  const isTorch = entries.some(({ name }) => TORCH_PICKLE.test(name));
  const parts: Findings[] = [];
  let looked = 0;
  for (const entry of entries) {
    if (entry.size === 0 || (isTorch && STORAGE.test(entry.name))) continue;
    job.signal?.throwIfAborted();
    if (++looked > MAX_ENTRIES) return mergeFindings([...parts, unreadable('an archive of too many files')]);
    parts.push(await scanEntry(job, reader, entry));
  }
  return mergeFindings(parts);
}

/** Resolves to undefined when the structure is broken. */
async function unlessBroken<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof StructureError) return undefined;
    throw error;
  }
}

async function scanEntry(job: ScanJob, reader: ByteReader, entry: ZipEntry): Promise<Findings> {
  const { name } = entry;
  if (isProgramName(name)) return PLAIN_CODE;
  const content = await unlessBroken(openEntry(reader, entry));
  if (content === undefined) return unreadable(`an archive with a damaged entry: ${name.slice(0, 100)}`);
  if (entry.stored) return await scanOpened(job, content, name);
  // Most compressed entries are numbers. Their beginning shows it; only those that may run code are decompressed whole.
  const head = await inflateHead(content, 'raw', job.inflate);
  const isCandidate = isPickleName(name) || KERAS_CONFIG.test(name);
  if (head === undefined)
    return isCandidate ? unreadable(`a compressed entry that cannot be read: ${name}`) : ONLY_DATA;
  if (!isCandidate && !(await scanOpened(job, bytesReader(head), name)).isCode) return ONLY_DATA;
  const whole = await inflateAll(content, 'raw', job.inflate);
  if (whole === undefined) return unreadable(`a compressed entry that cannot be read: ${name.slice(0, 100)}`);
  return await scanOpened(job, bytesReader(whole), name);
}

async function scanOpened(job: ScanJob, content: ByteReader, name: string): Promise<Findings> {
  if (KERAS_CONFIG.test(name)) return await scanConfig(content);
  return await job.scanContent({ ...job, depth: job.depth + 1 }, content, name);
}

async function scanConfig(content: ByteReader): Promise<Findings> {
  return scanKerasConfig(new TextDecoder().decode(await content.read(0, Math.min(content.size, 32 * 1024 * 1024))));
}
