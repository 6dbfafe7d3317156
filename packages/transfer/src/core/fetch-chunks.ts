import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import { Disk } from './disk/disk.ts';
import type { DiskEvent, DiskPort } from './disk/disk-port.ts';
import { Schedule } from './schedule/schedule.ts';
import { FetchSession } from './session/fetch-session.ts';
import { RangeRules } from './session/range-rules.ts';
import type { FetchParts, FetchTask } from './session/types.ts';

export interface FetchChunksTask extends FetchTask {
  /** By id: 1 for each chunk that is on the disk already. */
  readonly present: Uint8Array;
  readonly openDisk: (onEvents: (events: readonly DiskEvent[]) => void) => DiskPort;
}

/**
 * Brings every chunk of a layout onto a disk of any kind and returns when all files are right and flushed. The disk is closed
 * in any case, with everything that came kept.
 *
 * @returns by number, the SHA-256 of the files that the layout has none of.
 * @throws ModelRtcError the reason why the model is not whole.
 */
export async function fetchChunks(
  parts: Omit<FetchParts, 'schedule' | 'rules'>,
  task: FetchChunksTask,
): Promise<ReadonlyMap<number, Digest>> {
  const { layout, progress, stats } = parts;
  const { present, openDisk, signal } = task;
  const rules = layout.ranges === undefined ? undefined : new RangeRules(layout);
  const session = new FetchSession({ ...parts, rules, schedule: new Schedule(layout.sizes, present, rules) }, task);
  const disk = new Disk(openDisk, session);
  try {
    await session.run(disk);
    progress.enter({ state: 'verifying', hashedBytes: stats.hashedBytes });
    await disk.flush();
    if (signal?.aborted) throw ModelRtcError.from(signal.reason);
    return session.fileHashes;
  } finally {
    await disk.close();
  }
}
