import type { WorkerConnection } from '@model-rtc/client';
import type { Job } from '@model-rtc/protocol';
import type { Context } from '../../console/context.ts';

/**
 * The job that a command is about.
 * @param ref - its id or the start of it; undefined for the one that has not ended, else the newest
 * @throws ModelRtcError `not_found`, `ambiguous`
 */
export async function jobNamed({ signal }: Context, worker: WorkerConnection, ref: string | undefined): Promise<Job> {
  return ref === undefined ? await worker.jobs.latest({ signal }) : await worker.jobs.find(ref, { signal });
}
