import { createHash } from 'node:crypto';
import type { ChunkMemory, DiskJob, OpenDiskPort } from '../../core/disk/disk-port.ts';
import { inlinePort } from '../../core/disk/inline-port.ts';
import type { DiskParts } from '../../core/disk/storage.ts';
import { JournalWriter } from '../journal/journal.ts';
import { ModelFiles } from './model-files.ts';

/** What a disk that is a folder is started with. */
export interface FolderJob extends DiskJob {
  readonly filesFolder: string;
  readonly journalPath: string;
}

/** What the disk engine of a folder is made of. */
export function folderParts({ filesFolder, journalPath, layout }: FolderJob): DiskParts {
  return {
    files: new ModelFiles(filesFolder, layout),
    journal: new JournalWriter(journalPath, layout),
    createSha256: () => createHash('sha256'),
    createSha1: () => createHash('sha1'),
    later: setImmediate,
  };
}

/** A folder whose bytes are hashed and written in this thread. */
export const openInlineDisk: OpenDiskPort<FolderJob> = (job, onEvents) =>
  inlinePort(job, { ...folderParts(job), allocate: sharedMemory }, onEvents);

/** Memory that the disk's thread sees without a copy. */
export function sharedMemory(size: number): ChunkMemory {
  const bytes = Buffer.from(new SharedArrayBuffer(size));
  return {
    bytes,
    // `set` copies into shared memory with care for threads that look on, which takes several times as long.
    write: (offset, piece) => {
      bytes.fill(piece, offset, offset + piece.length);
    },
  };
}
