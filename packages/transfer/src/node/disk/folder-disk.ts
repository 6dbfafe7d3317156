import { createHash } from 'node:crypto';
import type { ChunkMemory, DiskJob, OpenDiskPort } from '../../core/disk/disk-port.ts';
import { inlinePort } from '../../core/disk/inline-port.ts';
import type { DiskParts } from '../../core/disk/storage.ts';
import { JournalWriter } from '../journal/journal.ts';
import { ModelFiles } from './model-files.ts';

/** What a folder is opened with as a disk. */
export interface FolderJob extends DiskJob {
  readonly filesFolder: string;
  readonly journalPath: string;
}

/** The parts of a folder's disk engine. */
export function folderParts({ filesFolder, journalPath, layout }: FolderJob): DiskParts {
  return {
    files: new ModelFiles(filesFolder, layout),
    journal: new JournalWriter(journalPath, layout),
    createSha256: () => createHash('sha256'),
    createSha1: () => createHash('sha1'),
    later: setImmediate,
  };
}

/** Opens a folder as a disk that hashes and writes in this thread. */
export const openInlineDisk: OpenDiskPort<FolderJob> = (job, onEvents) =>
  inlinePort(job, { ...folderParts(job), allocate: sharedMemory }, onEvents);

/** Memory that the disk's thread reads without a copy. */
export function sharedMemory(size: number): ChunkMemory {
  const bytes = Buffer.from(new SharedArrayBuffer(size));
  return {
    bytes,
    // `set` allows for threads that read the shared memory meanwhile, and takes several times as long.
    write: (offset, piece) => {
      bytes.fill(piece, offset, offset + piece.length);
    },
  };
}
