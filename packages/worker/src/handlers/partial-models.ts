import {
  type Digest,
  MAX_PAGE,
  type ModelEntry,
  ModelRtcError,
  type Params,
  type ResultInput,
} from '@model-rtc/protocol';
import { modelMatcher, type Registry } from '@model-rtc/registry';
import type { ModelReader, PartialModel, PartialReader } from '@model-rtc/transfer';
import type { RequestContext } from '@model-rtc/transport';
import type { HandlerContext } from './types.ts';

export type Asker = Pick<RequestContext, 'peer'>;
type ModelPage = ResultInput<'list_models'>;

/** The capability of agents that can handle a model which is only partly there. */
const CAPABILITY = 'partial';
/** The cursor of the page behind the last one of whole models; the registry's own are longer. */
const PARTIAL_CURSOR = 'partial';
const SHORTEST_PREFIX = 6;

/** Whether the client can handle models that this machine is still fetching. Version 1.1 would fail on them. */
export function knowsPartial({ peer }: Asker): boolean {
  return peer.remote.capabilities.includes(CAPABILITY);
}

/** The models that match and are not whole here yet, without those that are also in the registry. */
async function matchingPartials(
  { partials, registry }: HandlerContext,
  { filters }: Params<'list_models'>,
): Promise<ModelEntry[]> {
  // A status describes models that are whole here.
  if (filters.status !== undefined) return [];
  const matches = modelMatcher(filters);
  const found: ModelEntry[] = [];
  for (const { digest, entry } of await partials.list()) {
    if (matches(entry) && (await registry.find(digest)) === undefined) found.push(entry);
  }
  return found;
}

/** Adds the partial models to a list: to its last page where there is room, else on a page of their own. */
export async function listWithPartials(
  services: HandlerContext,
  params: Params<'list_models'>,
  wholePage: (params: Params<'list_models'>) => Promise<ModelPage>,
): Promise<ModelPage> {
  const found = (await matchingPartials(services, params)).slice(0, MAX_PAGE);
  const isOwnPage = params.cursor === PARTIAL_CURSOR;
  const page = await wholePage(isOwnPage ? { ...params, cursor: undefined, limit: 1 } : params);
  const total = page.total + found.length;
  if (isOwnPage) return { models: found.slice(0, params.limit), total };
  if (page.nextCursor !== undefined || found.length === 0) return { ...page, total };
  const hasRoom = page.models.length + found.length <= params.limit;
  return hasRoom ? { models: [...page.models, ...found], total } : { ...page, nextCursor: PARTIAL_CURSOR, total };
}

/** Resolves a reference among the models that are still being fetched: an id, an alias, or the start of a digest. */
export async function resolvePartial(
  { partials }: HandlerContext,
  ref: string,
): Promise<ResultInput<'get_model_info'> | undefined> {
  const found = await partials.list();
  const named = (model: PartialModel): ResultInput<'get_model_info'>['resolvedBy'] | undefined => {
    const { digest, entry } = model;
    if (entry.id === ref.toLowerCase()) return 'id';
    if (entry.alias === ref || entry.name === ref) return 'alias';
    const prefix = ref.toLowerCase();
    return prefix.length >= SHORTEST_PREFIX && digest.startsWith(prefix) ? 'digest' : undefined;
  };
  const [match, second] = found.flatMap((model) => {
    const resolvedBy = named(model);
    return resolvedBy === undefined ? [] : [{ entry: model.entry, resolvedBy }];
  });
  // An ambiguous reference counts as unknown: the client can use an id instead.
  return second === undefined ? match : undefined;
}

/**
 * Reads a model that is still being fetched, and switches to the installed one when that is done, without interrupting
 * requests for chunks.
 *
 * @returns undefined when no process on this machine is fetching it.
 */
export async function openPartial(
  { partials, registry }: Pick<HandlerContext, 'partials' | 'registry'>,
  digest: Digest,
): Promise<ModelReader | undefined> {
  const partial = await partials.open(digest);
  return partial === undefined ? undefined : readerOf(partial, registry);
}

function readerOf(partial: PartialReader, registry: Registry): ModelReader {
  let installed: Promise<ModelReader> | undefined;
  const openInstalled = async (): Promise<ModelReader | undefined> => {
    if ((await registry.find(partial.digest)) === undefined) return undefined;
    installed ??= registry.openModel(partial.digest);
    return await installed;
  };
  return {
    async readChunk(chunk, into) {
      const here = installed === undefined ? await partial.readChunk(chunk, into) : undefined;
      if (here !== undefined) return here;
      // Not here yet, or just being moved from staging to the registry.
      const isOver = await partial.isOver();
      const whole = await (installed ?? openInstalled());
      if (whole === undefined && isOver) throw givenUp(partial.digest);
      return whole === undefined ? undefined : await whole.readChunk(chunk, into);
    },
    async close() {
      await (await installed)?.close();
    },
  };
}

function givenUp(digest: Digest): ModelRtcError {
  const sentence = `This worker gave up fetching model ${digest.slice(0, 12)}. Pull it from another worker.`;
  return new ModelRtcError('not_found', sentence, { details: { id: digest.slice(0, 8) } });
}
