import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { ModelReader, Registry } from '@model-rtc/registry';
import { createChunkServer } from '@model-rtc/transfer';
import type { Handlers } from '@model-rtc/transport';

/** What the other side may fetch from this client: nothing but the models that it is pushing there right now. */
export class ChunkOffers {
  readonly #registry: Registry;
  readonly #offered = new Map<Digest, number>();
  readonly handlers: Handlers;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.handlers = { get_chunks: createChunkServer({ openModel: (digest) => this.#open(digest) }) };
  }

  /** Offers one model while the work runs. */
  async during<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    this.#offered.set(digest, (this.#offered.get(digest) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#offered.get(digest) ?? 1) - 1;
      if (left === 0) this.#offered.delete(digest);
      else this.#offered.set(digest, left);
    }
  }

  async #open(digest: Digest): Promise<ModelReader> {
    if (!this.#offered.has(digest)) {
      throw new ModelRtcError('refused', 'This client is not pushing that model; it serves no other.');
    }
    return await this.#registry.openModel(digest);
  }
}
