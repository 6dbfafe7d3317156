import { ModelRtcError } from '@model-rtc/protocol';
import type { OnModelProgress } from './progress.ts';

/** A model that changes more often than this while it is sent is still being written. */
const MAX_RESTARTS = 3;

export interface RestartOptions {
  readonly onProgress?: OnModelProgress | undefined;
  /** Called before the transfer is begun again. */
  readonly startOver: () => Promise<void> | void;
}

/**
 * Runs a transfer again from the start when the model changed at its source, saying so each time. Bytes that stayed the
 * same are on the receiver's disk by then, so they are not sent twice.
 */
export async function restartWhenSourceChanges<T>(
  { onProgress, startOver }: RestartOptions,
  transfer: () => Promise<T>,
): Promise<T> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await transfer();
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (known.code !== 'source_changed' || restarts === MAX_RESTARTS) throw known;
      onProgress?.({ type: 'source_changed', reason: known.message });
      await startOver();
    }
  }
}
