import { constants, createReadStream, createWriteStream } from 'node:fs';
import { copyFile, link, lstat, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { atStorage, cloneFile, errorCode, makeFolder, mapLimit, NO_HARD_LINKS } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { changeOf } from '../files/check-files.ts';
import type { FileStat } from '../store/types.ts';

/** The permission bits of data, here and at a job. */
export const DATA_FILE_MODE = 0o444;
const FILES_AT_ONCE = 16;
/** A file up to this size is copied in one go, which cannot be cancelled. */
const QUICK_COPY_BYTES = 16 * 1024 * 1024;

export interface PlaceDataOptions {
  /** The folder of the set. */
  readonly from: string;
  readonly stats: readonly FileStat[];
  /** Where its files go, each under its path; or the one file itself. */
  readonly to: string;
  readonly form: 'file' | 'folder';
  readonly signal?: AbortSignal | undefined;
  /** Whether modes keep this process from writing: root ignores them. */
  readonly modesHold?: boolean | undefined;
}

type Way = 'clone' | 'link' | 'copy';

/**
 * Gives a job its own read-only files: clones, which share the disk's blocks, where the file system has them. Else a second name of
 * the same file where its mode keeps the job from writing to it, and a copy where it does not.
 */
export async function placeData({ from, stats, to, form, signal, modesHold }: PlaceDataOptions): Promise<void> {
  await atStorage(to, 'created', () => makeFolder(form === 'file' ? dirname(to) : to, 0o700));
  const folders = new Map<string, Promise<unknown>>();
  const targetOf = async (path: string): Promise<string> => {
    if (form === 'file') return to;
    const target = join(to, ...path.split('/'));
    const folder = dirname(target);
    const made = folders.get(folder) ?? mkdir(folder, { recursive: true, mode: 0o700 });
    folders.set(folder, made);
    await made;
    return target;
  };
  let way: Way = 'clone';
  const placeOne = async (stat: FileStat): Promise<void> => {
    if (signal?.aborted) throw cancelled(signal);
    const source = join(from, ...stat.path.split('/'));
    const target = await atStorage(to, 'written', () => targetOf(stat.path));
    await requireAsStored(source, stat);
    way = await atStorage(target, 'written', () => give(source, target, stat.size, { way, signal, modesHold }));
  };
  // The first alone, so that the others go the way that worked.
  const [first, ...others] = [...stats].sort((a, b) => b.size - a.size);
  if (first !== undefined) await placeOne(first);
  await mapLimit(others, FILES_AT_ONCE, placeOne);
}

interface GiveOptions {
  readonly way: Way;
  readonly signal: AbortSignal | undefined;
  readonly modesHold: boolean | undefined;
}

/** @returns the way that worked, for the next file */
async function give(source: string, target: string, size: number, options: GiveOptions): Promise<Way> {
  const { way, signal, modesHold = process.platform !== 'win32' && process.geteuid?.() !== 0 } = options;
  if (way === 'clone' && (await cloneFile(source, target))) return 'clone';
  if (way !== 'copy' && modesHold && (await hasLinked(source, target))) return 'link';
  if (size <= QUICK_COPY_BYTES) await copyFile(source, target, constants.COPYFILE_EXCL);
  else
    await pipeline(createReadStream(source), createWriteStream(target, { flags: 'wx', mode: DATA_FILE_MODE }), {
      signal,
    });
  // One file may have too many names, or lie on another file system than others.
  return way === 'copy' || !modesHold ? 'copy' : 'link';
}

async function hasLinked(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (thrown) {
    const code = errorCode(thrown) ?? '';
    if (code === 'EXDEV' || NO_HARD_LINKS.has(code)) return false;
    throw thrown;
  }
}

/** A job that runs as this user can change what it likes, if it means to; what looks touched is not given to another. */
async function requireAsStored(path: string, stat: FileStat): Promise<void> {
  const found = await atStorage(path, 'read', () => lstat(path, { bigint: true }));
  const change = !found.isFile()
    ? 'it is no longer a plain file'
    : (Number(found.mode) & 0o222) !== 0 && process.platform !== 'win32'
      ? 'somebody made it writable'
      : changeOf(stat, found);
  if (change === undefined) return;
  const sentence = `The worker's copy of ${JSON.stringify(stat.path)} is not as it was sent: ${change}. Run the command again to send it again.`;
  throw new ModelRtcError('source_changed', sentence);
}

function cancelled(signal: AbortSignal): ModelRtcError {
  return new ModelRtcError('cancelled', 'Cancelled while the data was made ready.', { cause: signal.reason });
}
