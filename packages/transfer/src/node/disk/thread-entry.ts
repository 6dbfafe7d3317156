import { parentPort, workerData } from 'node:worker_threads';
import type { DiskCommand } from '../../core/disk/disk-port.ts';
import { DiskEngine } from './disk-engine.ts';
import type { FolderJob } from './folder-job.ts';

/** The disk's thread: it ends when its port is closed, after the commands that came before. */
const port = parentPort;
if (port !== null) {
  const engine = new DiskEngine(workerData as FolderJob, (events) => port.postMessage(events));
  port.on('message', (commands: DiskCommand[] | 'close') => {
    if (commands !== 'close') return engine.handle(commands);
    engine.close();
    port.close();
  });
}
