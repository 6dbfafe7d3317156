import { ModelRtcError } from '@model-rtc/protocol';
import type { RetryOptions } from '@model-rtc/transfer';
import type { OnModelProgress } from './progress.ts';
import type { ClientContext } from './remote-worker.ts';
import type { TransferStats } from './transfer-stats.ts';

/** A model that changes more often than this while it is sent is still being written. */
const MAX_RESTARTS = 3;

/**
 * Reports that a failed transfer begins again because the model changed at its source. Bytes that did not change are on
 * the receiver's disk by then, so they are not sent twice.
 *
 * @param restarts - how often that has happened in this command.
 * @throws ModelRtcError the failure, when it is a different one or happened too often
 */
export function requireRestart(error: unknown, restarts: number, onProgress: OnModelProgress | undefined): void {
  const known = ModelRtcError.from(error);
  if (known.code !== 'source_changed' || restarts === MAX_RESTARTS) throw known;
  onProgress?.({ type: 'source_changed', reason: known.message });
}

/** How the work of one command is tried again: the time without progress counts over all of it. */
export function retryOptions(
  { clock, random }: Pick<ClientContext, 'clock' | 'random'>,
  { watchdog }: Pick<TransferStats, 'watchdog'>,
  {
    signal,
    onProgress,
  }: { readonly signal?: AbortSignal | undefined; readonly onProgress?: OnModelProgress | undefined },
): RetryOptions {
  const onRetry = (why: ModelRtcError): void => onProgress?.({ type: 'reconnecting', reason: why.message });
  return { clock, random, watchdog, signal, onRetry };
}
