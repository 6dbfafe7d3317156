import type { WorkerConnection } from '@model-rtc/client';
import { type Job, ModelRtcError } from '@model-rtc/protocol';
import { choose } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { printable } from '../../console/format.ts';
import type { EndingSignal } from '../../console/runtime.ts';
import type { TransferControls } from '../client/transfer.ts';
import { JobView } from '../jobs/job-view.ts';

/** What becomes of a job when the command that follows it is interrupted. */
export type OnInterrupt = 'detach' | 'cancel';

interface FollowedJob {
  readonly worker: WorkerConnection;
  readonly job: Job;
  /** What the user types for the worker in commands. */
  readonly workerFlag: string;
  /** Undefined to ask on a terminal, and to detach elsewhere. */
  readonly onInterrupt: OnInterrupt | undefined;
}

/** A job that has ended, and what its runner printed last. */
export interface EndedJob {
  readonly job: Job;
  readonly lastLines: readonly string[];
}

/**
 * Shows a job until it has ended. Ctrl+C leaves it running or cancels it, as the user decides.
 * @throws ModelRtcError `cancelled` when the user interrupted it
 */
export async function followToEnd(
  context: Context,
  { worker, job, workerFlag, onInterrupt }: FollowedJob,
  { onProgress, maxReconnectMs }: Pick<TransferControls, 'onProgress' | 'maxReconnectMs'>,
): Promise<EndedJob> {
  const view = new JobView(context.output, job.id);
  const leaving = new AbortController();
  let decision: OnInterrupt | undefined;
  const interrupted = async (signal: EndingSignal): Promise<void> => {
    const showAgain = view.hold();
    decision = onInterrupt ?? (await decide(context, job, signal));
    showAgain();
    if (decision === 'detach') {
      leaving.abort(detached(job, worker.workerName, workerFlag));
      return;
    }
    context.output.note(`Cancelling job ${job.id}: its processes get 10 s to end.`);
    await worker.jobs.cancel(job.id, { signal: leaving.signal });
  };
  const fail = (error: unknown): void => leaving.abort(ModelRtcError.from(error));
  let handling: Promise<void> | undefined;
  const giveBack = context.takeInterrupts((signal) => {
    // One press may come as two signals.
    handling ??= interrupted(signal).catch(fail);
  });
  try {
    const ended = await worker.jobs.follow(job.id, {
      signal: leaving.signal,
      onProgress,
      maxReconnectMs,
      onEvents: (events) => view.show(events),
      onPosition: (position) => view.position(position),
    });
    if (decision === 'cancel' && ended.state === 'cancelled') throw cancelled(ended, worker.workerName);
    return { job: ended, lastLines: view.lastLines };
  } finally {
    // What the user decided is what the command says, even if the signal comes once more.
    if (handling === undefined) giveBack();
  }
}

/** A terminal that is closed, and a system that ends the process, cannot be asked. */
async function decide(context: Context, job: Job, signal: EndingSignal): Promise<OnInterrupt> {
  if (!context.interactive || signal !== 'SIGINT') return 'detach';
  const question = { text: `What should happen to job ${job.id}?`, flag: '--on-interrupt detach or cancel' };
  return await choose<OnInterrupt>(context, question, [
    { value: 'detach', label: 'Detach: it goes on at the worker, and its results are kept there' },
    { value: 'cancel', label: 'Cancel: end it at the worker' },
  ]).catch((): OnInterrupt => 'detach');
}

function detached({ id }: Job, workerName: string, workerFlag: string): ModelRtcError {
  return new ModelRtcError(
    'cancelled',
    `Detached: job ${id} goes on at ${printable(workerName)}. Run the same command again to follow it and to fetch its results, or end it: model-rtc jobs cancel ${id}${workerFlag}`,
    { details: { job: id } },
  );
}

function cancelled({ id }: Job, workerName: string): ModelRtcError {
  return new ModelRtcError('cancelled', `Cancelled job ${id} at ${printable(workerName)}.`, { details: { job: id } });
}
