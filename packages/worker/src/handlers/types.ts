import type { Log } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { PartialModels, RateLimiter } from '@model-rtc/transfer';
import type { FreshModels } from './fresh-models.ts';

/** What a worker's handlers use. */
export interface HandlerOptions {
  readonly registry: Registry;
  readonly fresh: FreshModels;
  readonly log: Log;
  /** Refuse pushed models with files that run code when they are loaded. */
  readonly safeOnly?: boolean | undefined;
  /** Limits on all transfers of this worker together; none when left out. */
  readonly limits?: { readonly up?: RateLimiter | undefined; readonly down?: RateLimiter | undefined } | undefined;
}

/** The same with what `createHandlers` adds. */
export interface HandlerContext extends HandlerOptions {
  /** The models that processes of this machine are fetching. */
  readonly partials: PartialModels;
}
