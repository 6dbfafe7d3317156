import { open } from 'node:fs/promises';
import { WRITE_BEHIND_BYTES } from '../../core/limits.ts';

/**
 * Has the system write to the disk itself while the network is the bottleneck. Without it, the flush at the end took a fifth
 * of a transfer's time on an ordinary disk. A failure here shows again at that flush, where it counts.
 */
export class WriteBehind {
  #bytes = 0;
  #running = false;

  /** Counts bytes that were written to a file, and starts to sync it now and then. */
  wrote(path: string, bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < WRITE_BEHIND_BYTES || this.#running) return;
    this.#bytes = 0;
    this.#running = true;
    void writeOut(path).finally(() => {
      this.#running = false;
    });
  }
}

async function writeOut(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r+');
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } catch {
    // The flush at the end fails too.
  }
}
