import type { OpenDiskPort } from '../../core/disk/disk-port.ts';
import { type FolderJob, openInlineDisk } from './folder-disk.ts';
import { openThreadDisk } from './thread-port.ts';

/**
 * Opens a folder as a disk, in a thread of its own. When the sources run unbuilt (jest, tsx) it stays in this thread, since
 * Node 20 cannot load a .ts file in another one.
 */
export const openDiskPort: OpenDiskPort<FolderJob> = import.meta.url.endsWith('.ts') ? openInlineDisk : openThreadDisk;
