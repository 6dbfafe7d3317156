import { openToRead, storageError } from '@model-rtc/files';
import type { ModelFile } from '@model-rtc/formats/layouts';
import { withSourceFile } from '../hash/source-file.ts';
import type { ScannedFile } from './scanned-model.ts';

/**
 * A scanned file as the layouts read it. It is open only while it is read, since a folder may hold 10,000 of them and a
 * layout reads a few, each a few times. `read` throws ModelRtcError `source_changed` and `storage`, `readStart` only `storage`.
 */
export function toModelFile(file: ScannedFile): ModelFile {
  const { path, size, absolutePath, mtimeNs } = file;
  return {
    path,
    size,
    location: absolutePath,
    modifiedAtMs: Number(mtimeNs / 1_000_000n),
    read: async (offset, length) => await withSourceFile(file, (source) => source.read(offset, length)),
    async readStart(maxBytes) {
      try {
        return await readStart(absolutePath, Math.min(size, maxBytes));
      } catch (cause) {
        throw storageError(cause, absolutePath, 'read');
      }
    },
  };
}

async function readStart(path: string, length: number): Promise<Uint8Array> {
  await using handle = await openToRead(path, true);
  const { bytesRead, buffer } = await handle.read(new Uint8Array(length), 0, length, 0);
  return buffer.subarray(0, bytesRead);
}
