import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, removeLeftTakerFiles, tryLock, withLock } from '@model-rtc/files';

const STAGED_IMPORT = /^(import-[0-9a-f]{16})(\.lock)?$/;

/** Gives the work an empty folder in `staging/`, which is gone when it ends, however it ends. */
export async function withImportFolder<T>(staging: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(staging, `import-${randomBytes(8).toString('hex')}`);
  await atStorage(staging, 'written', async () => await mkdir(staging, { recursive: true }));
  // The lock says that the importer lives: its folder is not left over from a killed one.
  return await withLock(`${folder}.lock`, {}, async () => {
    try {
      await atStorage(folder, 'created', async () => await mkdir(folder));
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Removes what killed imports left in `staging/`. */
export async function removeLeftImports(staging: string): Promise<void> {
  const names = await atStorage(staging, 'read', async () => await readdir(staging));
  const left = new Set(names.map((name) => STAGED_IMPORT.exec(name)?.[1]).filter((name) => name !== undefined));
  await removeLeftTakerFiles(staging);
  for (const name of left) {
    const folder = join(staging, name);
    await tryLock(`${folder}.lock`, () => rm(folder, { recursive: true, force: true }));
  }
}
