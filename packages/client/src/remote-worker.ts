import type { Clock, Log } from '@model-rtc/protocol';
import type { KnownWorker, Registry } from '@model-rtc/registry';
import type { ModelProvider, StorageCap } from '@model-rtc/transfer';
import type { ChunkOffers } from './chunk-offers.ts';
import type { SessionLink } from './session-link.ts';
import type { AgentLimits } from './transfer-speed.ts';

/** This machine's part in every transfer. */
export interface ClientContext {
  readonly registry: Registry;
  readonly log: Log;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly limits: AgentLimits;
  /** How much room the models here may take; any when left out. */
  readonly storage?: StorageCap | undefined;
}

/** One worker, with what a client's operations on it need. */
export interface RemoteWorker extends ClientContext {
  /** The worker, as this machine remembers it. */
  readonly known: KnownWorker;
  readonly link: SessionLink;
  readonly offers: ChunkOffers;
  /** The worker as one of several that a model is taken from. */
  readonly provider: ModelProvider;
}

/** Remembers what a worker has. The user's request is done by then, so a failure here is only logged. */
export async function remembered(
  { log, known }: Pick<RemoteWorker, 'log' | 'known'>,
  record: () => Promise<void>,
): Promise<void> {
  try {
    await record();
  } catch (error) {
    log.warn({ err: error, worker: known.key }, 'what was seen of the worker could not be kept');
  }
}
