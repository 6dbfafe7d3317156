import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { listFolder } from './paths.ts';
import { errorCode, isMissing, storageError } from './storage-error.ts';

const TEMPORARY_SUFFIX = '.tmp';

interface WriteOptions {
  /** Permission bits of a new file, less the umask. */
  readonly mode?: number | undefined;
}

/**
 * Replaces a file in one step: readers see either the old bytes or the new, even after a crash.
 * @throws ModelRtcError `storage_full`, `storage`; nothing is left behind
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: WriteOptions = {},
): Promise<void> {
  const temporary = `${path}.${process.pid}-${randomBytes(6).toString('hex')}${TEMPORARY_SUFFIX}`;
  try {
    await writeFileSynced(temporary, data, options);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw storageError(thrown, path, 'written');
  }
}

/** Writes a new file. Its bytes are on the disk when this resolves, its name once the folder is synced. */
export async function writeFileSynced(
  path: string,
  data: string | Uint8Array,
  options: WriteOptions = {},
): Promise<void> {
  const file = await open(path, 'wx', options.mode ?? 0o666);
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Puts a folder's names on the disk. Until then, a crash can lose a rename. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (thrown) {
    // Windows cannot do this, and some network file systems refuse it: there the rename alone has to do.
    if (!UNSYNCABLE.has(errorCode(thrown) ?? '')) throw thrown;
  }
}

const UNSYNCABLE = new Set(['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EACCES', 'EBADF']);

/**
 * Whether a name beside the file is that of a temporary file whose writer has ended. One that runs on another machine counts as
 * ended: who removes the file must hold the lock of its writers.
 */
export function isLeftTemporary(path: string, name: string): boolean {
  const writer = writerOf(path, name);
  return writer !== undefined && !isRunning(writer);
}

/** The process that wrote a temporary file for this very file: one for its lock, or for a file with a longer name, is another's. */
function writerOf(path: string, name: string): number | undefined {
  if (!name.startsWith(`${basename(path)}.`) || !name.endsWith(TEMPORARY_SUFFIX)) return undefined;
  const pid = /^(\d+)-[0-9a-f]{12}$/.exec(name.slice(basename(path).length + 1, -TEMPORARY_SUFFIX.length))?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return errorCode(thrown) === 'EPERM';
  }
}

/** Removes what a killed writer of the file left behind. Call it only when nobody else can be writing the file. */
export async function removeTemporaries(path: string): Promise<void> {
  const left = (await listFolder(dirname(path))).filter(({ name }) => writerOf(path, name) !== undefined);
  await Promise.all(left.map(({ name }) => rm(join(dirname(path), name), { force: true })));
}

/**
 * Differs for any two contents of a file that is only ever replaced whole; undefined when there is none.
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
