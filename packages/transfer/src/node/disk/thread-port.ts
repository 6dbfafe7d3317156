import { Worker } from 'node:worker_threads';
import { ModelRtcError } from '@model-rtc/protocol';
import type { DiskCommand, DiskEvent, DiskPort, OpenDiskPort } from '../../core/disk/disk-port.ts';
import { type FolderJob, openInlineDisk, sharedMemory } from './folder-disk.ts';

/**
 * Opens a folder as a disk with a worker thread, so that hashing and writing never hold up the network.
 * @param entry - the program of the thread
 */
export function openThreadDisk(
  job: FolderJob,
  onEvents: (events: readonly DiskEvent[]) => void,
  entry = new URL('./thread-entry.js', import.meta.url),
): DiskPort {
  const worker = new Worker(entry, { workerData: job, name: 'model-rtc-disk' });
  let closed = false;
  const fail = (error: unknown): void => {
    if (closed) return;
    closed = true;
    onEvents([{ type: 'failed', error: ModelRtcError.from(error).toData() }]);
  };
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      fail(
        new ModelRtcError('unexpected', 'The thread that writes to the disk ended. Run the command again to resume.'),
      );
      resolve();
    });
  });
  worker.on('error', fail);
  worker.on('message', (events: readonly DiskEvent[]) => {
    if (!closed) onEvents(events);
  });
  return {
    allocate: sharedMemory,
    post(commands: DiskCommand[]): void {
      worker.postMessage(commands);
    },
    async close(): Promise<void> {
      closed = true;
      worker.postMessage('close');
      await exited;
    },
  };
}

/**
 * Opens a folder as a disk, in a thread of its own. When the sources run unbuilt (jest, tsx) it stays in this thread, since
 * Node 20 cannot load a .ts file in another one.
 */
export const openFolderDisk: OpenDiskPort<FolderJob> = import.meta.url.endsWith('.ts')
  ? openInlineDisk
  : (job, onEvents) => openThreadDisk(job, onEvents);
