import type { Log } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { PartialModels, RateLimiter } from '@model-rtc/transfer';
import type { FreshModels } from './fresh-models.ts';

/** What the handlers of a worker work on. */
export interface HandlerOptions {
  readonly registry: Registry;
  readonly fresh: FreshModels;
  readonly log: Log;
  /** Take no pushed model with files that run code when they are loaded. */
  readonly safeOnly?: boolean | undefined;
  /** What all transfers of this worker together may send and fetch; nothing holds them back when left out. */
  readonly limits?: { readonly up?: RateLimiter | undefined; readonly down?: RateLimiter | undefined } | undefined;
}

/** The same with what the handlers make for themselves. */
export interface HandlerContext extends HandlerOptions {
  /** What processes of this machine are fetching. */
  readonly partials: PartialModels;
}
