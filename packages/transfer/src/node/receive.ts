import { rm } from 'node:fs/promises';
import { ModelRtcError } from '@model-rtc/protocol';
import { lockPull, type PullOptions, type PullOutcome } from './pull.ts';

/** What becomes of files that are received: a model in the registry, data in its cache, results under a name. */
export interface Destination<T> {
  /** What is there already, once no other process can be bringing it; undefined when the files have to be fetched. */
  broughtMeanwhile(): Promise<T | undefined>;
  /** Takes the whole and verified files out of the staging folder. */
  install(pulled: PullOutcome): Promise<T>;
}

/**
 * Fetches files and hands them over, whole or not at all. What was fetched before a failure stays for the next attempt.
 * @throws ModelRtcError what `pull` and the destination throw
 */
export async function receive<T>(options: PullOptions, { broughtMeanwhile, install }: Destination<T>): Promise<T> {
  const locked = await lockPull(options);
  let isNeeded = false;
  try {
    // Another transfer may have installed it while this one waited for their staging folder: it must not be copied out of there
    // and installed again.
    const brought = await broughtMeanwhile();
    if (brought !== undefined) return brought;
    isNeeded = true;
  } finally {
    if (!isNeeded) await locked.leave();
  }
  const pulled = await locked.fetch();
  try {
    return await install(pulled);
  } catch (error) {
    // Files that were refused for their content are useless to another attempt, so remove them.
    if (ModelRtcError.from(error).code === 'refused') await rm(pulled.filesFolder, { recursive: true, force: true });
    throw error;
  } finally {
    await pulled.release();
  }
}
