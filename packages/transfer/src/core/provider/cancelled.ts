import { ModelRtcError } from '@model-rtc/protocol';

/** What an aborted signal means to a user: its own reason when that says something, else that it was cancelled. */
export function cancelledBy(signal: AbortSignal | undefined, cause: unknown = signal?.reason): ModelRtcError {
  const reason: unknown = signal?.reason;
  if (reason instanceof ModelRtcError) return reason;
  return new ModelRtcError('cancelled', 'Cancelled.', { cause });
}
