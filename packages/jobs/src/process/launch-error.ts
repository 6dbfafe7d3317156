import { ModelRtcError } from '@model-rtc/protocol';

/** A runner's program that does not start. Its path is for the worker's owner, and stays in the details. */
export function cannotStart(program: string, why: string, cause?: unknown): ModelRtcError {
  const sentence = `The program of this runner cannot be started: ${why}. Ask the worker's owner to check the runner.`;
  return new ModelRtcError('not_found', sentence, { cause, details: { program } });
}
