import { stat } from 'node:fs/promises';
import { isMissing, storageError } from './storage-error.ts';

/**
 * Tells two contents of a file apart, where each write makes a new file; undefined when there is none.
 * @throws ModelRtcError `storage`
 */
export async function fileVersion(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw storageError(thrown, path, 'read');
  }
}
