import type { Hub } from '@model-rtc/hub';
import type { Backend, Log, Method, Params, ResultInput } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import type { PartialModels, RateLimiter, SizeTier, StorageCap } from '@model-rtc/transfer';
import type { RequestContext } from '@model-rtc/transport';
import type { FreshModels } from './fresh-models.ts';
import type { JobServices } from './jobs/types.ts';

/** What a client asks to be fetched from a hub. */
export interface WantedFromHub {
  readonly repo: string;
  readonly revision: string | undefined;
  /** Whether the client accepts the model's license. */
  readonly acceptLicense: boolean;
  readonly signal: AbortSignal;
}

/** Fetches a model from a hub into this machine's registry. */
export type FetchFromHub = (wanted: WantedFromHub) => Promise<RegistryEntry>;

/** What a worker's handlers use. */
export interface HandlerOptions {
  readonly registry: Registry;
  readonly fresh: FreshModels;
  readonly log: Log;
  /** What this machine can compute on, for its catalog; the CPU alone when left out. */
  readonly hardware?: (() => Promise<ReadonlySet<Backend>>) | undefined;
  /** Fetches registered models from a hub when clients ask for it; refused when left out. */
  readonly fetchFromHub?: FetchFromHub | undefined;
  /** Refuse pushed models with files that run code when they are loaded. */
  readonly safeOnly?: boolean | undefined;
  /** Where pushed models may be fetched from as well, if the pusher lets it; from the pusher alone when left out. */
  readonly hub?: Hub | undefined;
  /** What jobs are run with; a worker without it refuses them. */
  readonly jobs?: JobServices | undefined;
  /** How much room the models of this machine may take; any when left out. */
  readonly storage?: StorageCap | undefined;
  /** Limits on all transfers of this worker together; none when left out. */
  readonly limits?:
    | {
        readonly up?: RateLimiter | undefined;
        readonly down?: RateLimiter | undefined;
        /** How fast each transfer may be, by the size of its model. */
        readonly bySize?: readonly SizeTier[] | undefined;
      }
    | undefined;
}

/** What answers one method. */
export type Handler<M extends Method> = (params: Params<M>, context: RequestContext<M>) => Promise<ResultInput<M>>;

/** Makes a handler that tells clients of failures in words that are for them. */
export type Answering = <M extends Method>(handler: Handler<M>) => Handler<M>;

/** The same with what `createHandlers` adds. */
export interface HandlerContext extends HandlerOptions {
  /** The models that processes of this machine are fetching. */
  readonly partials: PartialModels;
}
