import { readHead, sliceReader, startsWith } from '../bytes/byte-readers.ts';
import type { ByteReader } from '../types.ts';
import { type Findings, mergeFindings, ONLY_DATA, PLAIN_CODE, unreadable } from './findings.ts';
import type { ScanJob } from './scan-job.ts';
import { scanPickles } from './scan-pickle.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Numpy refuses longer ones. */
const MAX_HEADER_BYTES = 64 * 1024;

export function isNpy(head: Uint8Array): boolean {
  return startsWith(head, MAGIC);
}

/**
 * A numpy file: an array of numbers, or a pickle behind the header when its type contains `O`.
 * Source: numpy/lib/format.py, format versions 1.0 to 3.0.
 */
export async function scanNpy(job: ScanJob, reader: ByteReader): Promise<Findings> {
  const head = await readHead(reader, 12);
  if (head.length < 12) return ONLY_DATA;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const isLong = view.getUint8(6) >= 2;
  const start = isLong ? 12 : 10;
  const length = isLong ? view.getUint32(8, true) : view.getUint16(8, true);
  if (length > MAX_HEADER_BYTES || start + length > reader.size) return unreadable('a numpy header of an unknown kind');
  const header = new TextDecoder('latin1').decode(await reader.read(start, length));
  if (!holdsObjects(header)) return ONLY_DATA;
  const data = sliceReader(reader, start + length, reader.size - start - length);
  return mergeFindings([PLAIN_CODE, (await scanPickles(job, data, { expected: true })) ?? PLAIN_CODE]);
}

/** The type is `'O'`, `'|O'`, or a list of fields `(name, type)` that contains such a type. */
function holdsObjects(header: string): boolean {
  // From the first one only: a search from each of many would take quadratic time.
  const start = /['"]descr['"]\s*:/.exec(header);
  const rest = start === null ? '' : header.slice(start.index + start[0].length);
  const end = rest.search(/,\s*['"](?:fortran_order|shape)['"]|\}\s*$/);
  return end === -1 || /(?:^|,)\s*['"][|<>=]?O\d*['"]/.test(rest.slice(0, end));
}
