import type { OpenDiskPort } from '../../core/disk/disk-port.ts';
import { type FolderJob, openInlineDisk } from './folder-disk.ts';
import { openThreadDisk } from './thread-port.ts';

/**
 * The one place that chooses: built code runs the disk in a thread. On the sources (jest, tsx) it runs in this one, since
 * Node 20 cannot load a .ts file in a thread.
 */
export const openDiskPort: OpenDiskPort<FolderJob> = import.meta.url.endsWith('.ts') ? openInlineDisk : openThreadDisk;
