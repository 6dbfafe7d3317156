import { createHash, randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atStorage, cloneFile, errorCode, ignoreMissing, modelFileMode, NO_HARD_LINKS } from '@model-rtc/files';
import { type ManifestFile, ModelRtcError } from '@model-rtc/protocol';
import type { Meter } from '../progress.ts';
import type { PlacedBytes } from './types.ts';

const BUFFER_BYTES = 1024 * 1024;

/** A file of a model as it lies on this disk. */
export interface SourceFile extends ManifestFile {
  /** The plain file with its bytes, no link. */
  readonly absolutePath: string;
}

/**
 * Puts a file of a model at a path, where it appears whole: it shares blocks, is one more name of the same file, or a copy,
 * whichever the file system can. One of the same size that is there stays: other tools name it by its content too.
 */
export async function placeFile(file: SourceFile, to: string, meter: Meter): Promise<keyof PlacedBytes> {
  meter.throwIfCancelled();
  return await atStorage(to, 'written', async () => {
    const present = await ignoreMissing(lstat(to));
    if (present?.isFile() && present.size === file.size) {
      meter.add(file.size);
      return 'kept';
    }
    await mkdir(dirname(to), { recursive: true });
    const temporary = join(dirname(to), `.model-rtc-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
    try {
      const how = await makeFile(file, temporary, meter);
      await rename(temporary, to);
      return how;
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

async function makeFile(file: SourceFile, to: string, meter: Meter): Promise<keyof PlacedBytes> {
  if (await cloneFile(file.absolutePath, to)) {
    meter.add(file.size);
    return 'cloned';
  }
  try {
    await link(file.absolutePath, to);
    meter.add(file.size);
    return 'linked';
  } catch (thrown) {
    const code = errorCode(thrown) ?? '';
    if (code !== 'EXDEV' && !NO_HARD_LINKS.has(code)) throw thrown;
  }
  await copyVerified(file, to, meter);
  return 'copied';
}

/** @throws ModelRtcError `source_changed` when the bytes are not those that the model has */
async function copyVerified({ absolutePath, path, sha256 }: SourceFile, to: string, meter: Meter): Promise<void> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  const source = await open(absolutePath, 'r');
  try {
    const target = await open(to, 'wx', modelFileMode(process.umask()));
    try {
      for (;;) {
        meter.throwIfCancelled();
        const { bytesRead } = await source.read(buffer, 0, buffer.length);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        await target.writeFile(buffer.subarray(0, bytesRead));
        meter.add(bytesRead);
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  if (hash.digest('hex') === sha256) return;
  throw new ModelRtcError(
    'source_changed',
    `${path} is not as it was when it was registered, so nothing was exported. To see what is wrong, run: model-rtc client verify.`,
    { details: { path } },
  );
}
