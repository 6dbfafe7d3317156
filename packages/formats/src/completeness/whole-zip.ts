import { readHead, startsWith } from '../bytes/byte-readers.ts';
import { EndsEarlyError, StructureError } from '../bytes/structure-error.ts';
import type { ByteReader } from '../types.ts';
import { readZipDirectory, ZIP_HEAD } from '../zip/zip-directory.ts';
import { byExtension } from './by-extension.ts';
import { cutOff } from './sizes.ts';
import type { FileCheck, FoundFlaw } from './types.ts';

/** An archive without entries. */
const EMPTY_ZIP_HEAD = [0x50, 0x4b, 0x05, 0x06];
const HDF5_HEAD = [0x89, 0x48, 0x44, 0x46];
/** Of an entry inside the archive. */
const HEADER_BYTES = 30;

/** Files that are zip archives if they begin like one, and may be something else: pickles, raw tensors. */
export const wholeZip: FileCheck = {
  matches: byExtension('.pt', '.pth', '.ckpt', '.bin', '.torchscript', '.ptl', '.nemo', '.mar', '.skops', '.zip'),
  async check(reader) {
    return startsWith(await readHead(reader, ZIP_HEAD.length), ZIP_HEAD) ? await checkZip(reader) : undefined;
  },
};

/** Files that are zip archives and nothing else; before Keras 3, a .keras file could be HDF5. */
export const certainZip: FileCheck = {
  matches: byExtension('.npz', '.keras'),
  async check(reader) {
    const head = await readHead(reader, ZIP_HEAD.length);
    if (startsWith(head, ZIP_HEAD)) return await checkZip(reader);
    if (startsWith(head, EMPTY_ZIP_HEAD) || startsWith(head, HDF5_HEAD)) return undefined;
    throw new StructureError('it does not begin like a zip archive');
  },
};

/** The list of an archive's entries stands at its end. */
async function checkZip(reader: ByteReader): Promise<FoundFlaw | undefined> {
  try {
    const directory = await readZipDirectory(reader);
    if (directory === undefined) return cutOff(reader.size, 'the list of contents at its end is missing');
    const { entries, directoryStart } = directory;
    // The size in the directory leaves out the entry's header, which takes at least 30 bytes.
    const beyond = entries.find(({ headerStart, size }) => headerStart + HEADER_BYTES + size > directoryStart);
    if (beyond === undefined) return undefined;
    return { kind: 'damaged', problem: `is damaged: its part ${JSON.stringify(beyond.name)} does not fit into it` };
  } catch (error) {
    if (!(error instanceof EndsEarlyError)) throw error;
    return cutOff(reader.size, 'the list of contents at its end is missing, or other bytes follow it');
  }
}
