import { DiskEngine } from './disk-engine.ts';
import type { ChunkMemory, DiskCommand, DiskEvent, DiskJob, DiskPort } from './disk-port.ts';
import type { DiskParts } from './storage.ts';

export interface InlinePortParts extends DiskParts {
  readonly allocate: (bytes: number) => ChunkMemory;
}

/**
 * Runs a disk engine in the thread that uses it. It does commands in a later turn of the event loop and reports events in
 * another one, as if it had a thread of its own.
 */
export function inlinePort(
  job: DiskJob,
  parts: InlinePortParts,
  onEvents: (events: readonly DiskEvent[]) => void,
): DiskPort {
  const { allocate, later } = parts;
  let closed = false;
  const engine = new DiskEngine(job, parts, (events) => {
    later(() => {
      if (!closed) onEvents(events);
    });
  });
  return {
    allocate,
    post(commands: DiskCommand[]): void {
      later(() => engine.handle(commands));
    },
    async close(): Promise<void> {
      closed = true;
      await new Promise<void>(later);
      engine.close();
    },
  };
}
