import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Lab } from './lab.ts';

/** A clock that is wrong: the date of every process with this environment. Timers are not moved. */
export interface ShiftedClock {
  readonly env: Readonly<Record<string, string>>;
  /** Sets it so far ahead of the right time, or behind. Processes notice within some milliseconds. */
  set(offsetMs: number): Promise<void>;
}

export async function shiftedClock(lab: Pick<Lab, 'folder'>, offsetMs = 0): Promise<ShiftedClock> {
  const file = join(await lab.folder(), 'clock');
  const set = async (ms: number): Promise<void> => {
    await writeFile(`${file}.new`, String(ms));
    await rename(`${file}.new`, file);
  };
  await set(offsetMs);
  const script = fileURLToPath(new URL('shifted-clock.cjs', import.meta.url));
  return { env: { NODE_OPTIONS: `--require ${script}`, MODEL_RTC_TEST_CLOCK: file }, set };
}
