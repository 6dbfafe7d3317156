import type { Clock } from '@model-rtc/protocol';

export interface UntilTrueOptions {
  /** Asked after each change. */
  readonly isDone: () => boolean;
  /** @returns a function that ends the listening */
  readonly onChange: (listener: () => void) => () => void;
  readonly clock: Clock;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** Resolves after a change that makes it true, when the time is up, or when the signal aborts. */
export async function untilTrue({ isDone, onChange, clock, waitMs, signal }: UntilTrueOptions): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      stopListening();
      stopTimer();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const stopListening = onChange(() => {
      if (isDone()) end();
    });
    const stopTimer = clock.after(waitMs, end);
    signal.addEventListener('abort', end);
  });
}
