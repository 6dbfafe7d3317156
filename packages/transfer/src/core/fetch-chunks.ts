import { ModelRtcError } from '@model-rtc/protocol';
import { Disk } from './disk/disk.ts';
import type { DiskEvent, DiskPort } from './disk/disk-port.ts';
import { Schedule } from './schedule/schedule.ts';
import { type FetchParts, FetchSession, type FetchTask } from './session/fetch-session.ts';

export interface FetchChunksTask extends FetchTask {
  /** By id: 1 for each chunk that is on the disk already. */
  readonly present: Uint8Array;
  readonly openDisk: (onEvents: (events: readonly DiskEvent[]) => void) => DiskPort;
}

/**
 * Brings every chunk of a layout onto a disk of any kind and returns when all files are right and flushed. The disk is closed
 * in any case, with everything that came kept.
 *
 * @throws ModelRtcError the reason why the model is not whole.
 */
export async function fetchChunks(parts: Omit<FetchParts, 'schedule'>, task: FetchChunksTask): Promise<void> {
  const { layout, progress, stats } = parts;
  const { present, openDisk, signal } = task;
  const session = new FetchSession({ ...parts, schedule: new Schedule(layout.sizes, present) }, task);
  const disk = new Disk(openDisk, session);
  try {
    await session.run(disk);
    progress.enter({ state: 'verifying', hashedBytes: stats.hashedBytes });
    await disk.flush();
    if (signal?.aborted) throw ModelRtcError.from(signal.reason);
  } finally {
    await disk.close();
  }
}
