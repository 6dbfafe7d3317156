import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

export interface Mount {
  readonly path: string;
  unmount(): Promise<void>;
}

/**
 * Mounts a file system in memory below a folder.
 * @throws Error when this process may not mount; ask for it with `rootUser()` first
 */
export async function mountTmpfs(below: string, sizeBytes: number, maxFiles?: number): Promise<Mount> {
  const path = join(below, 'disk');
  await mkdir(path);
  await execa('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${sizeBytes}${maxFiles === undefined ? '' : `,nr_inodes=${maxFiles}`}`,
    'model-rtc-test',
    path,
  ]);
  return {
    path,
    unmount: async () => {
      // Lazily, so that a process that a test left behind cannot keep it mounted.
      await execa('umount', ['--lazy', path]);
    },
  };
}
