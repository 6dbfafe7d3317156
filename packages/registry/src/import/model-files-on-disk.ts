import { openToRead, storageError } from '@model-rtc/files';
import type { ModelFile } from '@model-rtc/formats/layouts';
import { openSourceFile } from '../hash/source-file.ts';
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
    async read(offset, length) {
      const source = await openSourceFile(file);
      try {
        return await source.read(offset, length);
      } finally {
        await source.close();
      }
    },
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
  const handle = await openToRead(path, true);
  try {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
