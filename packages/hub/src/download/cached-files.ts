import { lstat, open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileHere, LocalFiles, WantedFile } from '@model-rtc/transfer';
import { MAX_CACHED_REPOSITORIES } from '../limits.ts';
import type { HubModel } from '../types.ts';

const REPOSITORY = /^(?:models|datasets|spaces)--/;

/**
 * What the hub's own tools keep on this machine: `blobs/`, in which files are named by the hash that the hub knows of them, and on
 * machines without links only `snapshots/COMMIT/` with the files themselves. Nothing is written there.
 * Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export function cachedFiles(
  folders: readonly string[],
  { repo, commit }: Pick<HubModel, 'repo' | 'commit'>,
): LocalFiles {
  const own = `models--${repo.split('/').join('--')}`;
  return {
    name: "the hub's own cache",
    async find(wanted, signal) {
      const found = new Map<string, FileHere>();
      for (const folder of folders) {
        const names = await readdir(folder).catch(() => []);
        const others = names.filter((name) => REPOSITORY.test(name) && name !== own);
        for (const name of [own, ...others].slice(0, MAX_CACHED_REPOSITORIES)) {
          if (signal?.aborted || found.size === wanted.length) return found;
          const left = wanted.filter(({ path }) => !found.has(path));
          await findIn(join(folder, name), name === own ? commit : undefined, left, found);
        }
      }
      return found;
    },
  };
}

async function findIn(
  repository: string,
  commit: string | undefined,
  wanted: readonly WantedFile[],
  found: Map<string, FileHere>,
): Promise<void> {
  const blobs = new Set(await readdir(join(repository, 'blobs')).catch(() => []));
  if (blobs.size === 0 && commit === undefined) return;
  for (const { path, size, sha256, gitSha1 } of wanted) {
    const name = sha256 ?? gitSha1;
    const blob = name !== undefined && blobs.has(name) ? join(repository, 'blobs', name) : undefined;
    const snapshot = commit === undefined ? undefined : join(repository, 'snapshots', commit);
    const file = blob !== undefined && (await isPlain(blob, size)) ? blob : await inSnapshot(snapshot, path, size);
    if (file !== undefined) found.set(path, { read: (offset, into) => readAt(file, offset, into) });
  }
}

async function isPlain(path: string, size: number): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isFile() === true && stats.size === size;
}

/** A file of a snapshot, unless a link leads out of the repository. */
async function inSnapshot(snapshot: string | undefined, path: string, size: number): Promise<string | undefined> {
  if (snapshot === undefined) return undefined;
  const file = join(snapshot, ...path.split('/'));
  const stats = await stat(file).catch(() => undefined);
  if (stats?.isFile() !== true || stats.size !== size) return undefined;
  const [real, repository] = await Promise.all([realpath(file), realpath(dirname(dirname(snapshot)))]);
  return real.startsWith(join(repository, '/')) ? real : undefined;
}

async function readAt(path: string, offset: number, into: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const handle = await open(path, 'r');
    try {
      let done = 0;
      while (done < into.length) {
        const { bytesRead } = await handle.read(into, done, into.length - done, offset + done);
        if (bytesRead === 0) return undefined;
        done += bytesRead;
      }
      return into;
    } finally {
      await handle.close();
    }
  } catch {
    // It is gone, or may no longer be read: other sources have it.
    return undefined;
  }
}
