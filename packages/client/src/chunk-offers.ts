import { basename } from 'node:path';
import { type Digest, ModelRtcError, type Params, type ResultInput } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import {
  type ChunkServer,
  type CompressMode,
  createChunkServer,
  type OpenModel,
  type RateLimiter,
} from '@model-rtc/transfer';
import type { Handlers, RequestContext } from '@model-rtc/transport';

export interface OfferOptions {
  readonly digest: Digest;
  /** Where its chunks are read; the registered model of this digest when left out. */
  readonly openModel?: OpenModel | undefined;
  /** Limits how fast its chunks are sent. */
  readonly limiter?: RateLimiter | undefined;
  /** `off` sends all chunks as they are. */
  readonly compress?: CompressMode | undefined;
}

interface Offer {
  readonly server: ChunkServer;
  readonly compress: CompressMode | undefined;
  pushes: number;
  /** Why chunks could not be read here. */
  failure: ModelRtcError | undefined;
}

/** What the other side may fetch from this client: only what is being pushed to it now. */
export class ChunkOffers {
  readonly handlers: Handlers;
  readonly #registry: Registry;
  readonly #offers = new Map<Digest, Offer>();

  constructor(registry: Registry) {
    this.#registry = registry;
    this.handlers = { get_chunks: (params, context) => this.#serve(params, context) };
  }

  /**
   * Offers one model while the work runs.
   * @throws the work's error; when reading the model failed here, that error, which names this machine's own files.
   */
  async during<T>(options: OfferOptions, work: () => Promise<T>): Promise<T> {
    const { digest } = options;
    const offer = this.#offers.get(digest) ?? this.#open(options);
    this.#offers.set(digest, offer);
    offer.pushes += 1;
    try {
      return await work();
    } catch (error) {
      throw offer.failure ?? ModelRtcError.from(error);
    } finally {
      offer.pushes -= 1;
      if (offer.pushes === 0) {
        this.#offers.delete(digest);
        // Closes the files that are kept open between requests.
        await offer.server.close();
      }
    }
  }

  /** A server for each, since each has its own rate limit. */
  #open({ limiter, compress, openModel = (digest) => this.#registry.openModel(digest) }: OfferOptions): Offer {
    const server = createChunkServer({ openModel, limiter });
    return { server, compress, pushes: 0, failure: undefined };
  }

  async #serve(
    params: Params<'get_chunks'>,
    context: RequestContext<'get_chunks'>,
  ): Promise<ResultInput<'get_chunks'>> {
    // Checked for each request, since the server keeps a model open for a while after the last one.
    const offer = this.#offers.get(params.digest);
    if (offer === undefined) {
      throw new ModelRtcError(
        'refused',
        'This client serves only the models that it is pushing, and that is not one of them.',
      );
    }
    try {
      return await offer.server(offer.compress === 'off' ? { ...params, encodings: undefined } : params, context);
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (!known.has('unreadable_here')) throw known;
      offer.failure = known;
      throw toldToWorker(known);
    }
  }
}

/** The worker must not learn paths of this machine. */
function toldToWorker(error: ModelRtcError): ModelRtcError {
  if (error.code !== 'source_changed') {
    return ModelRtcError.because(error, 'storage', 'The sending machine could not read its own files; it says why.');
  }
  const { path } = error.details ?? {};
  const file = typeof path === 'string' ? basename(path) : 'a file';
  return new ModelRtcError('source_changed', `"${file}" changed on the sending machine while it was sent.`, {
    cause: error,
    details: { file },
  });
}
