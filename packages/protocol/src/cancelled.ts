import type { Clock } from './clock.ts';
import { ModelRtcError } from './errors.ts';

/** The error for an aborted signal: its own reason if that tells the user something, else that it was cancelled. */
export function cancelledBy(signal: AbortSignal | undefined, cause: unknown = signal?.reason): ModelRtcError {
  const reason: unknown = signal?.reason;
  if (reason instanceof ModelRtcError) return reason;
  return new ModelRtcError('cancelled', 'Cancelled.', { cause });
}

/** Waits. @throws ModelRtcError `cancelled` when the signal aborts. */
export async function pause(delayMs: number, clock: Clock, signal?: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) throw cancelledBy(signal);
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      reject(cancelledBy(signal));
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Waits for a promise, or until the signal aborts; the promise goes on by itself then. @throws ModelRtcError `cancelled` */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
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
