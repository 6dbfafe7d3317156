import { createHash, randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  atStorage,
  cloneFile,
  errorCode,
  ignoreMissing,
  isLeftTemporary,
  modelFileMode,
  NO_HARD_LINKS,
  syncFolder,
} from '@model-rtc/files';
import { type ManifestFile, ModelRtcError } from '@model-rtc/protocol';
import type { Meter } from '../progress.ts';
import type { PlacedBytes } from './types.ts';

const BUFFER_BYTES = 1024 * 1024;
const LEFT = '.model-rtc';

/** A file of a model as it lies on this disk. */
export interface SourceFile extends ManifestFile {
  /** The plain file with its bytes, no link. */
  readonly absolutePath: string;
}

/**
 * Puts a file of a model at a path, where it appears whole and verified: it shares blocks, is one more name of the same file,
 * or a copy, whichever the file system can. The same bytes stay as they are; others under a name that says which bytes it has
 * are damaged, and replaced.
 * @throws ModelRtcError `source_changed` when the bytes are not those that the model has
 */
export async function placeFile(file: SourceFile, to: string, meter: Meter): Promise<keyof PlacedBytes> {
  meter.throwIfCancelled();
  return await atStorage(to, 'written', async () => {
    if (await hasBytes(file, to, meter)) {
      meter.add(file.size);
      return 'kept';
    }
    await mkdir(dirname(to), { recursive: true });
    const temporary = temporaryIn(dirname(to));
    try {
      const how = await makeFile(file, temporary);
      if (!(await hasBytes(file, temporary, meter))) throw changed(file);
      await rename(temporary, to);
      await syncFolder(dirname(to));
      meter.add(file.size);
      return how;
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/** A name for what is not whole yet: other tools skip hidden files, and `removeLeft` knows them. */
export function temporaryIn(folder: string): string {
  return join(folder, `${LEFT}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
}

/** Removes what killed exports left in a folder. */
export async function removeLeft(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => isLeftTemporary(join(folder, LEFT), name));
  await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

async function makeFile({ absolutePath }: SourceFile, to: string): Promise<keyof PlacedBytes> {
  if (await cloneFile(absolutePath, to)) return 'cloned';
  try {
    await link(absolutePath, to);
    return 'linked';
  } catch (thrown) {
    const code = errorCode(thrown) ?? '';
    if (code !== 'EXDEV' && !NO_HARD_LINKS.has(code)) throw thrown;
  }
  await copyFile(absolutePath, to, constants.COPYFILE_EXCL);
  await using copy = await open(to, 'r');
  await copy.chmod(modelFileMode(process.umask()));
  await copy.sync();
  return 'copied';
}

/** Whether a plain file has the bytes that it should have. */
export async function hasBytes(
  { size, sha256 }: Pick<SourceFile, 'size' | 'sha256'>,
  path: string,
  meter: Pick<Meter, 'throwIfCancelled'>,
): Promise<boolean> {
  const stats = await ignoreMissing(lstat(path));
  if (!stats?.isFile() || stats.size !== size) return false;
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: BUFFER_BYTES })) {
    meter.throwIfCancelled();
    hash.update(piece as Uint8Array);
  }
  return hash.digest('hex') === sha256;
}

function changed({ path }: SourceFile): ModelRtcError {
  return new ModelRtcError(
    'source_changed',
    `${path} is not as it was when it was registered, so the model was not exported. To see what is wrong, run: model-rtc client verify.`,
    { details: { path } },
  );
}
