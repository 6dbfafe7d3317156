import { ModelRtcError, type Params, type ResultInput } from '@model-rtc/protocol';
import type { RegistryEntry } from '@model-rtc/registry';
import { hardwareOf } from './list-catalog.ts';
import type { FetchFromHub, HandlerOptions } from './types.ts';

/** Fetches registered models from a hub for clients, one at a time. */
export class CatalogFetches {
  readonly #services: HandlerOptions;
  #isBusy = false;

  constructor(services: HandlerOptions) {
    this.#services = services;
  }

  /**
   * Fetches what an id of the catalog stands for, unless it is here.
   * @throws ModelRtcError `refused` where the owner allows no fetching, `busy` while another model is fetched, and what fetching throws
   */
  async fetch(
    { id, acceptLicense }: Params<'fetch_model'>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ResultInput<'fetch_model'>> {
    const { registry, log } = this.#services;
    let item = await registry.catalogItem(id);
    if (item.entry === undefined) {
      const { repo, revision } = item.plan ?? {};
      if (repo === undefined) throw noRepository(id);
      const entry = await this.#alone(async (fetchFromHub) => fetchFromHub({ repo, revision, acceptLicense, signal }));
      log.info({ id, repo, digest: entry.digest }, 'a registered model was fetched for a client');
      item = await registry.recordFetched(id, entry);
    }
    return { model: registry.catalogModel(item, await hardwareOf(this.#services)) };
  }

  async #alone(work: (fetchFromHub: FetchFromHub) => Promise<RegistryEntry>): Promise<RegistryEntry> {
    const { fetchFromHub } = this.#services;
    if (fetchFromHub === undefined) throw notAllowed();
    if (this.#isBusy) throw new ModelRtcError('busy', 'The worker fetches another model right now. Try again later.');
    this.#isBusy = true;
    try {
      return await work(fetchFromHub);
    } finally {
      this.#isBusy = false;
    }
  }
}

function noRepository(id: string): ModelRtcError {
  const sentence = `"${id}" names no repository of a hub, so the worker cannot fetch it. Push the model to the worker.`;
  return new ModelRtcError('bad_argument', sentence, { details: { id } });
}

function notAllowed(): ModelRtcError {
  const sentence =
    'The worker fetches nothing from a hub for clients. Ask its owner to start it with --from-hub auto, or fetch the model yourself and push it.';
  return new ModelRtcError('refused', sentence);
}
