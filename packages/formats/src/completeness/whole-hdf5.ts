import { readHead, startsWith } from '../bytes/byte-readers.ts';
import { StructureError } from '../bytes/structure-error.ts';
import type { ByteReader } from '../types.ts';
import { byExtension } from './by-extension.ts';
import { cutOff, sizeFlaw } from './sizes.ts';
import type { FileCheck } from './types.ts';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** A user's block of 512 bytes, or that doubled some times, may come before the superblock. */
const MAX_USER_BLOCK_BYTES = 64 * 1024;
/** The longest superblock that is read: addresses of 8 bytes, and 24 bytes before them. */
const SUPERBLOCK_BYTES = 56;

/** The superblock says where the file ends. Source: HDF5 File Format Specification 3.0, section II.A. */
export const wholeHdf5: FileCheck = {
  matches: byExtension('.h5', '.hdf5'),
  async check(reader) {
    const start = await findSuperblock(reader);
    if (start === undefined) {
      const head = await readHead(reader, SIGNATURE.length);
      if (reader.size < SUPERBLOCK_BYTES && startsWith(head, SIGNATURE.slice(0, head.length)))
        return cutOff(reader.size, 'its header alone takes more');
      throw new StructureError('it has no header of HDF5');
    }
    if (start + SUPERBLOCK_BYTES > reader.size) return cutOff(reader.size, 'its header alone takes more');
    const end = endOf(await reader.read(start, SUPERBLOCK_BYTES));
    return end === undefined ? undefined : sizeFlaw(reader.size, end);
  },
};

async function findSuperblock(reader: ByteReader): Promise<number | undefined> {
  for (let start = 0; start <= MAX_USER_BLOCK_BYTES; start = start === 0 ? 512 : start * 2) {
    if (start + SIGNATURE.length > reader.size) return undefined;
    if (startsWith(await reader.read(start, SIGNATURE.length), SIGNATURE)) return start;
  }
  return undefined;
}

/** The address of the end, from the start of the file; undefined for a version or a width that is not known. */
function endOf(superblock: Uint8Array): number | undefined {
  const version = superblock[8] as number;
  const isOld = version === 0 || version === 1;
  if (!isOld && version !== 2 && version !== 3) return undefined;
  const width = superblock[isOld ? 13 : 9];
  if (width !== 8) return undefined;
  // Base address, free space (or the extension), end of file.
  const addresses = isOld ? (version === 0 ? 24 : 28) : 12;
  const view = new DataView(superblock.buffer, superblock.byteOffset, superblock.byteLength);
  const end = Number(view.getBigUint64(addresses + 16, true));
  if (!Number.isSafeInteger(end)) throw new StructureError('its end is behind that of any file');
  return end;
}
