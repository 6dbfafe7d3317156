import { StructureError } from '../bytes/structure-error.ts';
import { MAX_SAFETENSORS_HEADER_BYTES } from '../limits.ts';
import { readSafetensorsEnd, SAFETENSORS_LENGTH_BYTES } from '../safetensors/safetensors.ts';
import type { ByteReader, ReadOptions } from '../types.ts';
import { byExtension } from './by-extension.ts';
import { cutOff, sizeFlaw } from './sizes.ts';
import type { FileCheck, FoundFlaw } from './types.ts';

/** The format's own limit. Source: safetensors, `MAX_HEADER_SIZE`. */
const MAX_FORMAT_HEADER_BYTES = 100_000_000;
const WINDOW_BYTES = 1024 * 1024;
/** Longer than the places of one tensor, so that none is cut in two unseen. */
const OVERLAP_BYTES = 256;
/** A quote inside of a text has a backslash before it, so this is never a part of one. */
const OFFSETS = /"data_offsets"\s*:\s*\[\s*(\d{1,16})\s*,\s*(\d{1,16})\s*\]/g;

/** The header says where the last tensor ends, and the file ends there. */
export const wholeSafetensors: FileCheck = {
  matches: byExtension('.safetensors'),
  async check(reader, options) {
    if (reader.size < SAFETENSORS_LENGTH_BYTES) return cutOff(reader.size, 'its header alone takes more');
    const start = await reader.read(0, SAFETENSORS_LENGTH_BYTES);
    const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
    if (length > reader.size - SAFETENSORS_LENGTH_BYTES) return cutOff(reader.size, 'its header alone takes more');
    if (length > MAX_FORMAT_HEADER_BYTES) throw new StructureError('its header is longer than the format allows');
    if (length > MAX_SAFETENSORS_HEADER_BYTES) return await checkLongHeader(reader, length, options);
    const end = await readSafetensorsEnd(reader);
    if (end === undefined) throw new StructureError('it has no header of safetensors');
    return sizeFlaw(reader.size, end);
  },
};

/** Finds where the last tensor ends without holding all of a header that would take hundreds of megabytes when it is parsed. */
async function checkLongHeader(
  reader: ByteReader,
  length: number,
  { budget, signal }: ReadOptions,
): Promise<FoundFlaw | undefined> {
  const dataStart = SAFETENSORS_LENGTH_BYTES + length;
  let last: number | undefined;
  for (let at = SAFETENSORS_LENGTH_BYTES; at < dataStart; at += WINDOW_BYTES) {
    signal?.throwIfAborted();
    if (budget !== undefined && budget.bytesLeft < WINDOW_BYTES) return undefined;
    budget?.spend('bytes', WINDOW_BYTES);
    const bytes = await reader.read(at, Math.min(WINDOW_BYTES + OVERLAP_BYTES, dataStart - at));
    for (const [, , end] of new TextDecoder('latin1').decode(bytes).matchAll(OFFSETS)) {
      last = Math.max(last ?? 0, Number(end));
    }
  }
  if (last === undefined) throw new StructureError('its header names no tensors');
  if (!Number.isSafeInteger(dataStart + last)) throw new StructureError('a tensor is larger than any file');
  return sizeFlaw(reader.size, dataStart + last);
}
