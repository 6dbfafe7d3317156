import type { DiskCommand, OpenDiskPort } from '../../core/disk/disk-port.ts';
import { DiskEngine } from './disk-engine.ts';
import type { FolderJob } from './folder-job.ts';
import { sharedMemory } from './shared-memory.ts';

/**
 * A disk engine in this thread. Commands are done in a later turn of the event loop and events come in one, as they do
 * from a thread.
 */
export const openInlineDisk: OpenDiskPort<FolderJob> = (job, onEvents) => {
  let closed = false;
  const engine = new DiskEngine(job, (events) => {
    setImmediate(() => {
      if (!closed) onEvents(events);
    });
  });
  return {
    allocate: sharedMemory,
    post(commands: DiskCommand[]): void {
      setImmediate(() => engine.handle(commands));
    },
    async close(): Promise<void> {
      closed = true;
      await new Promise<void>((resolve) => setImmediate(resolve));
      engine.close();
    },
  };
};
