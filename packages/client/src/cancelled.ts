import { ModelRtcError } from '@model-rtc/protocol';

/** What an aborted signal means to a user: its own reason when that says something, else that it was cancelled. */
export function cancelledBy(signal: AbortSignal | undefined, cause: unknown = signal?.reason): ModelRtcError {
  const reason: unknown = signal?.reason;
  if (reason instanceof ModelRtcError) return reason;
  return new ModelRtcError('cancelled', 'Cancelled.', { cause });
}

/** Waits for a promise, or until the signal aborts; the promise goes on by itself then. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(cancelledBy(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
