import type { WorkerConnection } from '@model-rtc/client';
import { type Catalog, type CatalogModel, catalogSchema, ModelRtcError, type PlannedModel } from '@model-rtc/protocol';
import type { Context } from '../../console/context.ts';
import { connectWorker } from '../connect.ts';
import type { NetworkOptions } from '../options.ts';
import { ownHardware } from './own-hardware.ts';

/** A catalog that a command reads and changes: this machine's, or a worker's. */
export interface CatalogSource extends AsyncDisposable {
  read(): Promise<Catalog>;
  register(plan: Omit<PlannedModel, 'digest'>): Promise<CatalogModel>;
  /** Forgets a model that is only registered, or was. @returns the model as it was */
  unregister(id: string): Promise<CatalogModel>;
  /** Has the worker fetch a registered model; undefined for this machine's own catalog. */
  readonly fetch: undefined | ((id: string, acceptLicense: boolean) => Promise<CatalogModel>);
}

export interface SourceOptions extends NetworkOptions {
  readonly session: string | undefined;
}

/** Opens the catalog that a person means. Both kinds give the same, so that every command prints the same bytes. */
export async function openCatalog(context: Context, { session, ...network }: SourceOptions): Promise<CatalogSource> {
  return session === undefined
    ? await ownCatalog(context)
    : atWorker(context, await connectWorker(context, network, session));
}

async function ownCatalog(context: Context): Promise<CatalogSource> {
  const { gatherCatalog } = await import('@model-rtc/client');
  const registry = await context.registry();
  const hardware = await (await ownHardware(context))();
  return {
    // In the form that it has after the wire.
    read: async () =>
      catalogSchema.parse(await gatherCatalog((params) => registry.catalogPage({ ...params, hardware }))),
    register: async (plan) => registry.catalogModel(await registry.registerModel(plan), hardware),
    unregister: async (id) => registry.catalogModel((await registry.unregisterModel(id)).item, hardware),
    fetch: undefined,
    [Symbol.asyncDispose]: async () => {},
  };
}

function atWorker({ signal }: Context, worker: WorkerConnection): CatalogSource {
  return {
    read: async () => await worker.catalog.read({ signal }),
    // In the same words as at home: a worker would only say which rule of the protocol is broken.
    register: async (plan) =>
      await worker.catalog.register((await import('@model-rtc/registry')).parsePlan(plan), { signal }),
    unregister: async (id) => await worker.catalog.unregister(id, { signal }),
    fetch: async (id, acceptLicense) => await worker.catalog.fetch(id, { acceptLicense, signal }),
    [Symbol.asyncDispose]: async () => await worker.close(),
  };
}

/** The start of a digest that is long enough to be one. */
const DIGEST_START = /^[0-9a-f]{6,64}$/i;

/**
 * The model of a catalog that a person names: by its id, else by its alias, its registry's id, the start of its digest, its name or its repository.
 * @throws ModelRtcError `not_found` or `not_found_locally`, `ambiguous`
 */
export function findModel({ models }: Catalog, ref: string, session: string | undefined): CatalogModel {
  const prefix = DIGEST_START.test(ref) ? ref.toLowerCase() : undefined;
  const ways: ((model: CatalogModel) => boolean)[] = [
    ({ id }) => id === ref,
    ({ metadata }) => metadata.alias === ref || metadata.registry_id === ref,
    ({ metadata }) => prefix !== undefined && metadata.digest?.startsWith(prefix) === true,
    ({ name, metadata }) => name === ref || metadata.repo === ref,
  ];
  const found = ways.map((isNamed) => models.filter(isNamed)).find((some) => some.length > 0) ?? [];
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const list = `model-rtc catalog list${session === undefined ? '' : ' --session ...'}`;
  if (only === undefined) {
    const sentence = `The catalog has no model "${ref}". See its ids: ${list}`;
    throw new ModelRtcError(session === undefined ? 'not_found_locally' : 'not_found', sentence, { details: { ref } });
  }
  const candidates = found.slice(0, 10).map(({ id }) => id);
  const sentence = `"${ref}" names ${found.length} models of the catalog: ${candidates.join(', ')}. Name one by its id.`;
  throw new ModelRtcError('ambiguous', sentence, { details: { ref, candidates } });
}
