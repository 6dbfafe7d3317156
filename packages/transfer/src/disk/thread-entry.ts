import { parentPort, workerData } from 'node:worker_threads';
import { DiskEngine } from './disk-engine.ts';
import type { DiskCommand, DiskJob } from './disk-messages.ts';

/** The disk's thread: it ends when its port is closed, after the commands that came before. */
const port = parentPort;
if (port !== null) {
  const engine = new DiskEngine(workerData as DiskJob, (events) => port.postMessage(events));
  port.on('message', (commands: DiskCommand[] | 'close') => {
    if (commands !== 'close') return engine.handle(commands);
    engine.close();
    port.close();
  });
}
