import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, errorCode } from '@model-rtc/files';

const PRIVATE = 0o700;
const NOT_ALLOWED = new Set(['EACCES', 'EPERM']);

/**
 * Removes a file or folder with all that is below it, if it is there: folders that may not be read or written too, as those of
 * inputs, or such as a program left.
 * @throws ModelRtcError `storage`
 */
export async function removeTree(path: string): Promise<void> {
  await atStorage(path, 'removed', async () => {
    try {
      await rm(path, { recursive: true, force: true });
    } catch (thrown) {
      if (!NOT_ALLOWED.has(errorCode(thrown) ?? '')) throw thrown;
      await allowAll(path);
      await rm(path, { recursive: true, force: true });
    }
  });
}

async function allowAll(folder: string): Promise<void> {
  await chmod(folder, PRIVATE).catch(() => undefined);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await allowAll(join(folder, entry.name));
}
