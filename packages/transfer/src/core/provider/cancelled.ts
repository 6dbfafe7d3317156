import { ModelRtcError } from '@model-rtc/protocol';

/** The error for an aborted signal: its own reason if that tells the user something, else that it was cancelled. */
export function cancelledBy(signal: AbortSignal | undefined, cause: unknown = signal?.reason): ModelRtcError {
  const reason: unknown = signal?.reason;
  if (reason instanceof ModelRtcError) return reason;
  return new ModelRtcError('cancelled', 'Cancelled.', { cause });
}
