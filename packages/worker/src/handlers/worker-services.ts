import type { Log } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { PartialModels } from '@model-rtc/transfer';
import type { FreshModels } from './fresh-models.ts';

/** What the handlers of a worker work on. */
export interface WorkerServices {
  readonly registry: Registry;
  readonly fresh: FreshModels;
  readonly log: Log;
  /** Take no pushed model with files that run code when they are loaded. */
  readonly safeOnly?: boolean | undefined;
}

/** The same with what the handlers make for themselves. */
export interface HandlerServices extends WorkerServices {
  /** What processes of this machine are fetching. */
  readonly partials: PartialModels;
}
