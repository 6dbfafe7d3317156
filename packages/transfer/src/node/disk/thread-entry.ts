import { parentPort, workerData } from 'node:worker_threads';
import { DiskEngine } from '../../core/disk/disk-engine.ts';
import type { DiskCommand } from '../../core/disk/disk-port.ts';
import { type FolderJob, folderParts } from './folder-disk.ts';

/** The program of the disk's thread. It ends when it is told to close, after the commands that came before. */
const port = parentPort;
if (port !== null) {
  const job = workerData as FolderJob;
  const engine = new DiskEngine(job, folderParts(job), (events) => port.postMessage(events));
  port.on('message', (commands: DiskCommand[] | 'close') => {
    if (commands !== 'close') return engine.handle(commands);
    engine.close();
    port.close();
  });
}
