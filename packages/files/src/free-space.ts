import { statfs } from 'node:fs/promises';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { atStorage } from './storage-error.ts';

export interface RoomNeeded {
  /** A folder on the file system in question. */
  readonly folder: string;
  readonly bytes: number;
  /** What needs the room, as the start of a sentence: `The copy`. */
  readonly what: string;
  /** What to do besides freeing space, as the end of a sentence. */
  readonly otherwise: string;
}

/** @throws ModelRtcError `storage_full` when so many bytes do not fit; called before the first is written */
export async function requireRoom({ folder, bytes, what, otherwise }: RoomNeeded): Promise<void> {
  const { bavail, bsize } = await atStorage(folder, 'measured', async () => await statfs(folder));
  const free = bavail * bsize;
  if (free >= bytes) return;
  const sentence = `${what} needs ${formatBytes(bytes)}, and ${folder} has ${formatBytes(free)} free. Free some space, or ${otherwise}.`;
  throw new ModelRtcError('storage_full', sentence, { details: { path: folder, neededBytes: bytes, freeBytes: free } });
}
