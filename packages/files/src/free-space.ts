import { statfs } from 'node:fs/promises';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { atStorage } from './storage-error.ts';

export interface RoomNeeded {
  /** A folder on the file system in question. */
  readonly folder: string;
  readonly bytes: number;
  /** What needs the room, as the start of a sentence: `The copy`. */
  readonly what: string;
  /** What to do instead of freeing space, as the end of a sentence. */
  readonly otherwise: string;
}

/** Bytes that this user may still write on the file system of a folder. @throws ModelRtcError `storage` */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await atStorage(folder, 'measured', async () => await statfs(folder));
  return bavail * bsize;
}

/** @throws ModelRtcError `storage_full` when the bytes do not fit. Call it before writing the first. */
export async function requireRoom({ folder, bytes, what, otherwise }: RoomNeeded): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= bytes) return;
  const sentence = `${what} needs ${formatBytes(bytes)}, and ${folder} has ${formatBytes(free)} free. Free some space, or ${otherwise}.`;
  throw new ModelRtcError('storage_full', sentence, { details: { path: folder, neededBytes: bytes, freeBytes: free } });
}
