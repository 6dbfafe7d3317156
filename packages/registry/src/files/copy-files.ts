import { constants } from 'node:fs';
import { copyFile, lstat, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atStorage, cloneFile, modelFileMode, openToRead, requireRoom, setFileTime } from '@model-rtc/files';
import { type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { ScannedFile } from '../import/scanned-model.ts';
import { createMeter, type Meter, type ProgressOptions } from '../progress.ts';

const BUFFER_BYTES = 1024 * 1024;

/**
 * Copies files into a folder, as clones that share the disk's blocks where the file system can. Bytes and names are on the
 * disk when this resolves.
 * @returns the copies, for hashing
 * @throws ModelRtcError `storage_full` before the first byte when they do not fit
 */
export async function copyFiles(
  files: readonly ScannedFile[],
  folder: string,
  options: ProgressOptions,
): Promise<ScannedFile[]> {
  const totalBytes = files.reduce((sum, file) => sum + file.size, 0);
  const clones = await canClone(files, folder);
  if (!clones) {
    const place = { folder: dirname(folder), bytes: totalBytes };
    await requireRoom({ ...place, what: 'The copy', otherwise: 'import without copying' });
  }
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  const umask = process.umask();
  const copies: ScannedFile[] = [];
  const meter = createMeter(totalBytes, options);
  for (const file of files) {
    meter.throwIfCancelled();
    const target = join(folder, file.path);
    await atStorage(target, 'written', async () => {
      if (clones) await copyFile(file.absolutePath, target, constants.COPYFILE_FICLONE_FORCE);
      else await copyBytes(file.absolutePath, target, buffer, meter);
      await finishFile(target, modelFileMode(umask), file.mtimeNs);
    });
    if (clones) meter.add(file.size);
    copies.push({ ...file, absolutePath: target, mtimeNs: (await lstat(target, { bigint: true })).mtimeNs });
  }
  return copies;
}

/**
 * Whether the file system shares blocks between files. It tries the largest file, since some file systems can clone only an
 * empty one.
 */
async function canClone(files: readonly ScannedFile[], folder: string): Promise<boolean> {
  const largest = files.reduce((a, b) => (b.size > a.size ? b : a));
  const probe = join(folder, '.clone');
  // The copy itself reports whatever else is wrong.
  const isCloned = await cloneFile(largest.absolutePath, probe);
  if (isCloned) await rm(probe, { force: true });
  return isCloned;
}

async function copyBytes(from: string, to: string, buffer: Uint8Array, meter: Meter): Promise<void> {
  await using source = await openToRead(from, true);
  await using target = await open(to, 'wx');
  for (;;) {
    meter.throwIfCancelled();
    const { bytesRead } = await source.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return;
    await target.writeFile(buffer.subarray(0, bytesRead));
    meter.add(bytesRead);
  }
}

async function finishFile(path: string, mode: number, mtimeNs: bigint): Promise<void> {
  await using file = await open(path, 'r');
  await file.chmod(mode);
  await setFileTime(file, Number(mtimeNs) / 1e6);
  await file.sync();
}

/**
 * Compares copies with what they were copied from, once both are hashed.
 * @throws ModelRtcError `verification_failed`
 */
export function requireSame(originals: Manifest, hashed: Manifest, copies: readonly ScannedFile[]): void {
  const expected = new Map(originals.files.map((file) => [file.path, file.sha256]));
  const found = new Map(hashed.files.map((file) => [file.path, file.sha256]));
  const wrong = copies.find(({ path }) => found.get(path) !== expected.get(path));
  if (wrong === undefined) return;
  const sentence = `The copy of ${wrong.path} is not the same as the original. Check the disk and import the model again.`;
  throw new ModelRtcError('verification_failed', sentence, { details: { path: wrong.path } });
}
