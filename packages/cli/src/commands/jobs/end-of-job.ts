import { type Job, ModelRtcError } from '@model-rtc/protocol';
import { printable } from '../../console/format.ts';
import { exitText } from './job-text.ts';

/**
 * Why a job did not succeed. Its exit code is 1 whatever the reason was, so that scripts can tell the failure of a job from those
 * of model-rtc itself.
 *
 * @param logs - the command that shows all that the runner printed
 */
export function failedJob(job: Job, logs: string): ModelRtcError {
  const { id, state, exit, error } = job;
  const why = error === undefined ? '' : `: ${printable(error.message)}`;
  const sentences = {
    cancelled: `Job ${id} was cancelled${why}`,
    lost: `Job ${id} is lost${why || ': the worker ended while it ran'}`,
  } as const;
  const sentence =
    state === 'cancelled' || state === 'lost'
      ? sentences[state]
      : `Job ${id} failed${error === undefined && exit !== undefined ? `: the runner "${job.runner}" ended with ${exitText(exit)}` : why}`;
  const text = /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
  return new ModelRtcError('unexpected', `${text} See all that it printed: ${logs}`, {
    details: { job: id, state, exit, reason: error?.code },
  });
}
