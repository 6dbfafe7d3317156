import { givenName, type ModelEntry } from '@model-rtc/protocol';
import {
  stepOfTransfer,
  type TrackedTransfer,
  type TransferAbout,
  type TransferStep,
  trackTransfer,
} from '@model-rtc/transfer';
import type { ModelProgress, OnModelProgress } from './progress.ts';
import type { ClientContext } from './remote-worker.ts';

/** How a transfer is interrupted, and where its progress goes. */
interface Controls {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnModelProgress | undefined;
}

/**
 * Does a transfer's work so that any process of this machine sees how far it is, and can cancel it.
 * @param work - gets the same options, with a signal and a progress listener of this transfer
 */
export async function tracked<O extends Controls, T>(
  { registry, log }: Pick<ClientContext, 'registry' | 'log'>,
  about: TransferAbout,
  options: O,
  work: (options: O, transfer: TrackedTransfer) => Promise<T>,
): Promise<T> {
  const folder = registry.paths.transfers;
  return await trackTransfer({ folder, about, signal: options.signal, log }, async (transfer) => {
    const onProgress: OnModelProgress = (progress) => {
      // News of one of several sources changes nothing in how far the transfer is.
      if (progress.type !== 'worker') transfer.note(stepOf(progress));
      options.onProgress?.(progress);
    };
    return await work({ ...options, signal: transfer.signal, onProgress }, transfer);
  });
}

const LOCAL_STATES = { convert: 'preparing', hash: 'preparing', copy: 'transferring', verify: 'verifying' } as const;

function stepOf(progress: Exclude<ModelProgress, { type: 'worker' }>): TransferStep {
  switch (progress.type) {
    case 'transfer':
    case 'remote':
      return stepOfTransfer(progress);
    case 'local':
      return { state: LOCAL_STATES[progress.phase], bytesPerSecond: 0 };
    case 'reconnecting':
      return { state: 'connecting', reason: 'network_error', bytesPerSecond: 0 };
    case 'waiting':
      return { state: 'idle', reason: 'waiting_for_worker', bytesPerSecond: 0 };
    case 'source_changed':
      return { state: 'preparing', reason: 'source_changed', bytesPerSecond: 0 };
    case 'connecting':
      return { state: 'connecting' };
  }
}

/** What a person calls a model, as far as it has a name. */
export function nameOf(entry: Pick<ModelEntry, 'alias' | 'releases' | 'id'>): string {
  return givenName(entry) ?? entry.id;
}
