/** The thread of raw-verified.ts that hashes and writes. */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

const { copy, buffers, totalBytes } = workerData;
const fd = openSync(copy, 'w');
const whole = createHash('sha256');
let done = 0;
parentPort.on('message', ({ buffer, size, offset }) => {
  const bytes = new Uint8Array(buffers[buffer], 0, size);
  createHash('sha256').update(bytes).digest();
  for (let written = 0; written < size; ) {
    written += writeSync(fd, bytes, written, size - written, offset + written);
  }
  whole.update(bytes);
  done += size;
  parentPort.postMessage(buffer);
  if (done < totalBytes) return;
  whole.digest();
  fsyncSync(fd);
  closeSync(fd);
  parentPort.close();
});
