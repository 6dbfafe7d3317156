import { bytesReader } from '../bytes/byte-readers.ts';
import { inflateAll, inflateHead } from '../bytes/inflate.ts';
import { OverBudgetError } from '../bytes/read-budget.ts';
import { unlessBroken } from '../bytes/structure-error.ts';
import type { ByteReader } from '../types.ts';
import { hasOverlaps, openEntry, readZipDirectory, type ZipEntry } from '../zip/zip-directory.ts';
import { isPickleName, isProgramName } from './file-kinds.ts';
import { type Findings, mergeFindings, ONLY_DATA, overBudget, PLAIN_CODE, unreadable } from './findings.ts';
import { type ScanJob, scanInside } from './scan-job.ts';
import { scanKerasConfig } from './scan-keras.ts';
import { mayBePickle } from './scan-pickle.ts';

/** Where torch puts the bytes of a storage, next to a pickle that names it. Nothing loads them as a pickle. */
const STORAGE = /(?:^|\/)(?:data|tensors|constants)\/\d+$/;
const TORCH_PICKLE = /(?:^|\/)(?:data|constants)\.pkl$/i;
const KERAS_CONFIG = /^config\.json$/i;

/** Any archive, such as torch's, numpy's or Keras's. Inspects each entry that may run code. */
export async function scanZip(job: ScanJob, reader: ByteReader): Promise<Findings> {
  const directory = await unlessBroken(readZipDirectory(reader));
  if (directory === undefined) return unreadable('an archive that cannot be read');
  if (hasOverlaps(directory)) return unreadable('an archive whose entries overlap or lie outside of it');
  const { entries } = directory;
  const isTorch = entries.some(({ name }) => TORCH_PICKLE.test(name));
  let found = ONLY_DATA;
  for (const entry of entries) {
    if (entry.size === 0 || (isTorch && STORAGE.test(entry.name))) continue;
    job.signal?.throwIfAborted();
    const inEntry = await unlessOverBudget(scanEntry(job, reader, entry));
    found = mergeFindings([found, inEntry]);
    if (job.budget.isSpent) break;
  }
  return found;
}

/** What was found in an archive before its budget is used up stays. */
async function unlessOverBudget(scanning: Promise<Findings>): Promise<Findings> {
  try {
    return await scanning;
  } catch (error) {
    if (error instanceof OverBudgetError) return overBudget(error);
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
  const head = await inflateHead(content, 'raw', job);
  const isCandidate = isPickleName(name) || KERAS_CONFIG.test(name) || head.outcome === 'damaged';
  if (!isCandidate && !(await mayRunCode(job, head.bytes, name))) return ONLY_DATA;
  const whole = await inflateAll(content, 'raw', job);
  if (whole.outcome === 'whole') return await scanOpened(job, bytesReader(whole.bytes), name);
  return unreadable(`a compressed entry that cannot be read: ${name.slice(0, 100)}`);
}

/** Whether the beginning of a content runs code, or is that of a pickle that goes on. */
export async function mayRunCode(job: ScanJob, head: Uint8Array, name: string): Promise<boolean> {
  if (head.length === 0) return false;
  const reader = bytesReader(head);
  return (await scanInside(job, reader, name)).isCode || (await mayBePickle(job, reader));
}

async function scanOpened(job: ScanJob, content: ByteReader, name: string): Promise<Findings> {
  if (KERAS_CONFIG.test(name)) return await scanConfig(content);
  return await scanInside(job, content, name);
}

async function scanConfig(content: ByteReader): Promise<Findings> {
  return scanKerasConfig(new TextDecoder().decode(await content.read(0, Math.min(content.size, 32 * 1024 * 1024))));
}
