import {
  type Catalog,
  type CatalogModel,
  type CatalogPage,
  formatBytes,
  MAX_CATALOG_MODELS,
  MAX_PAGE,
  ModelRtcError,
  type ParamsInput,
  roughSize,
} from '@model-rtc/protocol';
import type { Peer } from '@model-rtc/transport';
import type { RemoteWorker } from './remote-worker.ts';

/** What a worker's hello names when it answers for its catalog. */
const CAPABILITY = 'catalog';

/** As many models as that have some 700 bytes each. */
const MAX_CATALOG_BYTES = 64 * 1024 * 1024;

/** A catalog that changes while its pages come is asked for again so often. */
const ATTEMPTS = 5;

interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

/** The catalog of a worker. */
export interface RemoteCatalog {
  /** All of it, as the worker's owner sees it. */
  read(options?: SignalOption): Promise<Catalog>;
  /** Registers a model there that nobody has fetched yet. */
  register(plan: ParamsInput<'register_model'>, options?: SignalOption): Promise<CatalogModel>;
  /** Forgets one that was registered over a session. @returns the model as it was */
  unregister(id: string, options?: SignalOption): Promise<CatalogModel>;
  /** Has the worker fetch a registered model from its repository. Resolves when it is there. */
  fetch(id: string, options?: SignalOption & { readonly acceptLicense?: boolean | undefined }): Promise<CatalogModel>;
}

export function remoteCatalog({ link }: Pick<RemoteWorker, 'link'>): RemoteCatalog {
  const askable = async (signal: AbortSignal | undefined): Promise<Peer> => requireCatalog(await link.reach(signal));
  return {
    async read({ signal } = {}) {
      const peer = await askable(signal);
      return await gatherCatalog((params) => peer.request('list_catalog', params, { signal }));
    },
    async register(plan, { signal } = {}) {
      return (await (await askable(signal)).request('register_model', plan, { signal })).model;
    },
    async fetch(id, { acceptLicense, signal } = {}) {
      return (await (await askable(signal)).request('fetch_model', { id, acceptLicense }, { signal })).model;
    },
    async unregister(id, { signal } = {}) {
      return (await (await askable(signal)).request('unregister_model', { id }, { signal })).model;
    },
  };
}

/**
 * All pages of a catalog as one.
 * @param askPage - asks whoever has it, this machine or a worker
 * @throws ModelRtcError `busy` when it keeps changing, `refused` when it is too long, `malformed_message` when it does not end
 */
export async function gatherCatalog(
  askPage: (params: { cursor: string | undefined; limit: number }) => Promise<CatalogPage>,
): Promise<Catalog> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const catalog = await gatherOnce(askPage);
    if (catalog !== undefined) return catalog;
  }
  throw new ModelRtcError('busy', 'The catalog keeps changing while it is listed. Try again in a moment.');
}

/** @returns undefined when it changed meanwhile */
async function gatherOnce(askPage: Parameters<typeof gatherCatalog>[0]): Promise<Catalog | undefined> {
  const models: CatalogModel[] = [];
  let bytes = 0;
  let head: Pick<Catalog, 'version' | 'pool_id' | 'updated_at'> | undefined;
  for (let cursor: string | undefined; ; ) {
    const page = await askPage({ cursor, limit: MAX_PAGE });
    const { version, pool_id, updated_at } = page;
    head ??= { version, pool_id, updated_at };
    if (head.updated_at !== updated_at) return undefined;
    models.push(...page.models);
    bytes += roughSize(page.models);
    if (bytes > MAX_CATALOG_BYTES || models.length > MAX_CATALOG_MODELS) throw tooLong();
    cursor = page.nextCursor;
    if (cursor === undefined) return { ...head, models };
    if (page.models.length === 0) throw endless();
  }
}

/** @throws ModelRtcError `protocol_mismatch` for a worker that is too old */
function requireCatalog(peer: Peer): Peer {
  const { capabilities, agent } = peer.remote;
  if (capabilities.includes(CAPABILITY)) return peer;
  throw new ModelRtcError(
    'protocol_mismatch',
    `The worker ${agent.name} has no catalog: its version of model-rtc (${agent.version}) does not know how. Upgrade model-rtc there, or list its models: model-rtc worker list-models`,
    { details: { version: agent.version } },
  );
}

function tooLong(): ModelRtcError {
  const most = `${formatBytes(MAX_CATALOG_BYTES)} or ${MAX_CATALOG_MODELS} models`;
  return new ModelRtcError('refused', `The catalog has more than ${most}, which this machine does not take.`);
}

function endless(): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    'The worker says that its catalog goes on, but sends no more of it. Run the same version of model-rtc on both sides.',
  );
}
