import { StructureError } from '../bytes/structure-error.ts';
import { MAX_SAFETENSORS_HEADER_BYTES } from '../limits.ts';
import { readSafetensorsEnd, SAFETENSORS_LENGTH_BYTES } from '../safetensors/safetensors.ts';
import { byExtension } from './by-extension.ts';
import { cutOff, sizeFlaw } from './sizes.ts';
import type { FileCheck } from './types.ts';

/** The header says where the last tensor ends, and the file ends there. */
export const wholeSafetensors: FileCheck = {
  name: 'safetensors',
  matches: byExtension('.safetensors'),
  async check(reader) {
    if (reader.size < SAFETENSORS_LENGTH_BYTES) return cutOff(reader.size, 'its header alone takes more');
    const start = await reader.read(0, SAFETENSORS_LENGTH_BYTES);
    const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
    if (length > reader.size - SAFETENSORS_LENGTH_BYTES) return cutOff(reader.size, 'its header alone takes more');
    // Beyond what is read of any header; the format itself ends at 100 MB.
    if (length > MAX_SAFETENSORS_HEADER_BYTES) return undefined;
    const end = await readSafetensorsEnd(reader);
    if (end === undefined) throw new StructureError('it has no header of safetensors');
    return sizeFlaw(reader.size, end);
  },
};
