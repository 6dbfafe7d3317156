import { type Log, MAX_PAGE, ModelRtcError } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { LIST_AGE_MS, MAX_LISTED } from '../limits.ts';
import type { BridgeModel, RemoteModel, RemoteModels } from '../types.ts';
import { aged } from './aged.ts';
import { fromEntry, fromRemote } from './describe.ts';

/** What the bridge can serve: the models of this machine, then those that only others have. */
export interface Catalog {
  /** All of them, the newest of this machine first. At most a second old. */
  list(): Promise<readonly BridgeModel[]>;
  /**
   * The model that an id, an alias, a full name or the start of a digest names. This machine's names come first.
   * @throws ModelRtcError `not_found`, `ambiguous`
   */
  find(ref: string): Promise<BridgeModel>;
}

export interface CatalogOptions {
  readonly registry: Registry;
  readonly remote: RemoteModels | undefined;
  /** Milliseconds that only grow. */
  readonly nowMs: () => number;
  readonly log: Log;
}

export function createCatalog(options: CatalogOptions): Catalog {
  const { registry, remote, nowMs } = options;
  const list = aged(() => readAll(options), LIST_AGE_MS, nowMs);

  async function find(ref: string): Promise<BridgeModel> {
    const here = await findHere(registry, ref);
    if (here !== undefined) return here;
    const model = await remote?.find(ref);
    const described = model === undefined ? undefined : fromRemote(model);
    if (described === undefined)
      throw new ModelRtcError('not_found', `There is no model ${JSON.stringify(ref)} here. See /v1/models.`);
    // It may be here under another name.
    const entry = await registry.find(described.digest);
    return (entry === undefined ? undefined : fromEntry(entry)) ?? described;
  }

  return { list, find };
}

async function findHere(registry: Registry, ref: string): Promise<BridgeModel | undefined> {
  try {
    // Paths are not looked up: an answer must not reveal which exist.
    const { entry } = await registry.resolve(ref, { paths: false });
    return fromEntry(entry);
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code === 'not_found_locally' || known.code === 'bad_argument') return undefined;
    throw known;
  }
}

async function readAll({ registry, remote, log }: CatalogOptions): Promise<readonly BridgeModel[]> {
  const models: BridgeModel[] = [];
  let cursor: string | undefined;
  do {
    const page = await registry.list({ filters: {}, sort: 'date', limit: MAX_PAGE, cursor });
    models.push(...page.models.map(fromEntry).filter((model) => model !== undefined));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  const known = new Set(models.map(({ digest }) => digest));
  for (const found of await remoteModels(remote, log)) {
    const model = models.length < MAX_LISTED ? fromRemote(found) : undefined;
    if (model === undefined || known.has(model.digest)) continue;
    known.add(model.digest);
    models.push(model);
  }
  return models;
}

/** The models of this machine are listed whatever is wrong with what is known of others. */
async function remoteModels(remote: RemoteModels | undefined, log: Log): Promise<readonly RemoteModel[]> {
  try {
    return (await remote?.list()) ?? [];
  } catch (error) {
    log.warn({ err: error }, 'The models of other machines could not be listed.');
    return [];
  }
}
