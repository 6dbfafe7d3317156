import { bytesReader, readHead, startsWith } from '../bytes/byte-readers.ts';
import { type Compression, compressionOf, inflateAll, inflateHead } from '../bytes/inflate.ts';
import { createReadBudget, OverBudgetError } from '../bytes/read-budget.ts';
import { readFileMetadata } from '../formats.ts';
import { MAX_SCAN_DEPTH } from '../limits.ts';
import type { ByteReader, NamedReader, ReadOptions } from '../types.ts';
import { ZIP_HEAD } from '../zip/zip-directory.ts';
import { isCompiledName, isPickleName, isProgramName, mayBePickleName } from './file-kinds.ts';
import { type Findings, mergeFindings, ONLY_DATA, overBudget, PLAIN_CODE, unreadable } from './findings.ts';
import { isProgram } from './programs.ts';
import { type ScanJob, scanInside } from './scan-job.ts';
import { isHdf5, scanHdf5 } from './scan-keras.ts';
import { isNpy, scanNpy } from './scan-npy.ts';
import { scanPickles } from './scan-pickle.ts';
import { isSavedModelName, scanSavedModel } from './scan-saved-model.ts';
import { mayRunCode, scanZip } from './scan-zip.ts';

/** What joblib decompresses by itself and Node 20 cannot: bzip2, xz, LZMA, LZ4 and Zstandard. */
const COMPRESSED_OTHERWISE: readonly (readonly number[])[] = [
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x5d, 0x00, 0x00],
  [0x04, 0x22, 0x4d, 0x18],
  [0x28, 0xb5, 0x2f, 0xfd],
];

/**
 * The findings of a file of a model. What the options' budget does not allow to examine is marked so.
 * @throws what the reader and the signal throw.
 */
export async function scanFile(file: NamedReader, options: ReadOptions): Promise<Findings> {
  const { budget = createReadBudget() } = options;
  return await scanContent({ ...options, budget, depth: 0, scanContent }, budget.excuseReads(file), file.path);
}

/**
 * Judges by its content whether loading a file runs code and what it would import; nothing is run. The name counts where
 * the content is not clear: what a tool takes for a pickle counts as one until it is known to be something else.
 * @throws what the reader and the signal throw.
 */
async function scanContent(job: ScanJob, reader: ByteReader, name: string): Promise<Findings> {
  job.signal?.throwIfAborted();
  if (isProgramName(name)) return PLAIN_CODE;
  if (reader.size === 0) return ONLY_DATA;
  if (isCompiledName(name)) return unreadable('a TensorRT engine is compiled code, which cannot be looked into');
  if (job.depth > MAX_SCAN_DEPTH) return unreadable('archives within archives');
  try {
    return await scanUnderBudget(job, reader, name);
  } catch (error) {
    if (error instanceof OverBudgetError) return overBudget(error);
    throw error;
  }
}

async function scanUnderBudget(job: ScanJob, reader: ByteReader, name: string): Promise<Findings> {
  const head = await readHead(reader, 16);
  if (await isProgram(reader, head)) return PLAIN_CODE;
  if (startsWith(head, ZIP_HEAD)) return await scanZip(job, reader);
  const known = await scanKnown(job, reader, head, name);
  // A file can be valid in a harmless format and as a pickle: its name decides how it is loaded.
  if (known !== undefined && !mayBePickleName(name)) return known;
  const pickles = await scanPickles(job, reader, { expected: mayBePickleName(name) });
  if (pickles !== undefined) return mergeFindings([pickles, known ?? ONLY_DATA]);
  return known ?? (isPickleName(name) ? PLAIN_CODE : ONLY_DATA);
}

/** The findings of a file whose first bytes tell what it is. */
async function scanKnown(
  job: ScanJob,
  reader: ByteReader,
  head: Uint8Array,
  name: string,
): Promise<Findings | undefined> {
  if (isNpy(head)) return await scanNpy(job, reader);
  if (isSavedModelName(name)) return await scanSavedModel(job, reader);
  if (isHdf5(head)) return await scanHdf5(job, reader);
  if ((await readFileMetadata(reader)) !== undefined) return ONLY_DATA;
  const compression = compressionOf(head);
  const isCompressed = compression !== undefined || COMPRESSED_OTHERWISE.some((magic) => startsWith(head, magic));
  return isCompressed ? await scanCompressed(job, reader, compression, name) : undefined;
}

async function scanCompressed(
  job: ScanJob,
  reader: ByteReader,
  compression: Compression | undefined,
  name: string,
): Promise<Findings | undefined> {
  const refusal = unreadable('a compressed pickle that cannot be looked into');
  // Raw numbers can begin like each of these, so that only the file's name can make it a pickle.
  if (compression === undefined) return isPickleName(name) ? refusal : undefined;
  const head = await inflateHead(reader, compression, job);
  // Raw numbers can begin like zlib too; what comes out of them is no pickle. Nothing else begins like gzip.
  const isDamaged = head.outcome === 'damaged' && compression === 'gzip';
  if (!isPickleName(name) && !isDamaged && !(await mayRunCode(job, head.bytes, name))) return undefined;
  const content = await inflateAll(reader, compression, job);
  if (content.outcome !== 'whole') return refusal;
  return await scanInside(job, bytesReader(content.bytes), name);
}
