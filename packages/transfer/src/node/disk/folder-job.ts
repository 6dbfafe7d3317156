import type { DiskJob } from '../../core/disk/disk-port.ts';

/** What a disk that is a folder is started with. */
export interface FolderJob extends DiskJob {
  readonly filesFolder: string;
  readonly journalPath: string;
}
