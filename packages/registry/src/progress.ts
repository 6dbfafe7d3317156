import { ModelRtcError } from '@model-rtc/protocol';

export interface ByteProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface ProgressOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ByteProgress) => void) | undefined;
}

/** Reports how far a piece of work is, and ends it when it is cancelled. */
export interface Meter {
  /** @throws ModelRtcError `cancelled` */
  throwIfCancelled(): void;
  add(bytes: number): void;
}

/** @param unchanged what stays as it was, as the end of the message */
export function createMeter(
  totalBytes: number,
  { signal, onProgress }: ProgressOptions,
  unchanged = 'nothing was stored',
): Meter {
  let doneBytes = 0;
  return {
    throwIfCancelled() {
      if (!signal?.aborted) return;
      throw new ModelRtcError('cancelled', `Cancelled; ${unchanged}.`, { cause: signal.reason });
    },
    add(bytes) {
      doneBytes += bytes;
      onProgress?.({ doneBytes, totalBytes });
    },
  };
}

/** Tells progress as that of one phase of the whole work. */
export function inPhase<P extends string>(
  onProgress: ((progress: ByteProgress & { readonly phase: P }) => void) | undefined,
  phase: P,
): (progress: ByteProgress) => void {
  return (progress) => onProgress?.({ phase, ...progress });
}
