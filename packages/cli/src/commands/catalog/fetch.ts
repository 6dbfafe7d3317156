import { type CatalogModel, type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryEntry } from '@model-rtc/registry';
import { defineCommand, flagOption, textOption, type ValuesOf } from '../../command-line/types.ts';
import { fetchAudited } from '../../console/audited-pull.ts';
import type { Context } from '../../console/context.ts';
import { printable } from '../../console/format.ts';
import { takeAsked } from '../client/import-model/from-hub.ts';
import { beginTransfer } from '../client/transfer.ts';
import { agentOptions, namedSessions } from '../connect.ts';
import { asSet, priorityOption, safeOnlyOption, tokenFileOption } from '../options.ts';
import { refuseGiven } from '../refuse-given.ts';
import { catalogId, catalogOptions } from './options.ts';
import { findModel, openCatalog } from './source.ts';

const fetchOptions = {
  worker: textOption(
    'Fetch it from a worker that has it, not from the hub: a token, a saved name, @FILE or mesh:NODE; may be given several times',
    { completes: 'workers', coerce: asSet },
  ),
  'accept-license': flagOption("Accept the model's license [shown and asked]"),
  'if-exists': {
    choices: ['overwrite', 'rename', 'cancel'],
    describe: 'If another model has its name: take the name over, choose a free one, or fetch nothing [asked]',
  },
  ...tokenFileOption,
  'arch-any': flagOption('Take a model of any family, not only those of the setting hub.architectures'),
  ...safeOnlyOption,
  ...priorityOption,
  ...catalogOptions,
} as const;

type FetchOptions = Omit<ValuesOf<typeof fetchOptions>, 'session'>;

export const fetchCatalogModel = defineCommand({
  usage: 'fetch <id>',
  describe: 'Fetch a registered model from its repository on a hub, or from a worker; it keeps its id',
  positionals: { id: catalogId },
  options: fetchOptions,
  examples: [
    ['$0 catalog fetch Qwen/Qwen2.5-0.5B', 'from the hub, after a look at its license'],
    ['$0 catalog fetch Qwen/Qwen2.5-0.5B --worker lab', 'from a saved worker'],
    ['$0 catalog fetch Qwen/Qwen2.5-0.5B --session lab --accept-license', 'the worker fetches it for itself'],
  ],
  async run(context, { id, session, ...options }) {
    const { output } = context;
    if (session !== undefined) refuseLocalOptions(options);
    await using source = await openCatalog(context, { ...options, session });
    const model = findModel(await source.read(), id, session);
    if (model.downloaded) return output.result({ outcome: 'already_there', model }, hereText(model));
    if (source.fetch !== undefined) {
      output.note('The worker fetches it now. If this command ends before that, run it again to go on.');
      const fetched = await source.fetch(model.id, options.acceptLicense);
      return output.result({ outcome: 'fetched', model: fetched }, fetchedText(fetched));
    }
    const entry = await fetchModel(context, model, options);
    await (await context.registry()).recordFetched(model.id, entry);
    const fetched = findModel(await source.read(), model.id, session);
    output.result({ outcome: 'fetched', model: fetched }, fetchedText(fetched));
  },
});

function hereText({ id }: CatalogModel): string {
  return `${printable(id)} is downloaded already`;
}

function fetchedText({ id, path, metadata: { registry_id = '' } }: CatalogModel): string {
  return printable(`Fetched ${id}: ${registry_id}, in ${path ?? 'its own place'}`);
}

/** What a worker decides for itself. @throws ModelRtcError `bad_argument` */
function refuseLocalOptions(options: FetchOptions): void {
  const sentence = (option: string) =>
    `${option} is for a model that this machine fetches. With --session the worker fetches it, as its owner set it up. Leave one of them out.`;
  refuseGiven(options, ['worker', 'ifExists', 'tokenFile', 'archAny', 'safeOnly', 'priority'], sentence);
}

async function fetchModel(context: Context, model: CatalogModel, options: FetchOptions): Promise<RegistryEntry> {
  const { worker = new Set<string>() } = options;
  if (worker.size > 0) return await fromWorkers(context, model, worker, options);
  const { repo, revision } = model.metadata;
  if (repo === undefined) {
    const sentence = `"${model.id}" names no repository of a hub. Fetch it from a worker that has it: --worker SESSION`;
    throw new ModelRtcError('bad_argument', sentence, { details: { id: model.id } });
  }
  const { acceptLicense, ifExists, tokenFile, archAny, safeOnly } = options;
  const { entry } = await takeAsked(context, {
    ...{ path: `hf:${repo}${revision === undefined ? '' : `@${revision}`}`, revision: undefined },
    ...{ acceptLicense, ifExists, tokenFile, archAny, safeOnly },
    ...{ include: [], exclude: [], convert: undefined, name: undefined, alias: undefined, yes: false },
    priority: options.priority,
  });
  return entry;
}

/** By its content where that is known; else the one that a worker has from the same repository. */
async function fromWorkers(
  context: Context,
  model: CatalogModel,
  worker: ReadonlySet<string>,
  options: FetchOptions,
): Promise<RegistryEntry> {
  const { connectAll } = await import('@model-rtc/client');
  const sessions = await namedSessions(context, worker, { fetch: {} });
  const agent = await agentOptions(context, options);
  const controls = await beginTransfer(context, {
    dryRun: false,
    limit: undefined,
    nice: false,
    compress: 'auto',
    priority: options.priority,
  });
  const digest = model.metadata.digest ?? (await digestAtWorkers(context, model, { sessions, agent }));
  await using workers = connectAll({ ...agent, sessions });
  const about = { ref: model.id, by: 'catalog fetch', from: worker };
  const how = { isName: true, safeOnly: options.safeOnly, aliasConflict: 'rename' } as const;
  const { entry } = await fetchAudited(context, about, controls.onProgress, (onProgress) =>
    workers.pullModel(digest, { ...how, ...controls, onProgress }),
  );
  return entry;
}

interface Workers {
  readonly sessions: Awaited<ReturnType<typeof namedSessions>>;
  readonly agent: Awaited<ReturnType<typeof agentOptions>>;
}

/** The content that the first worker has of a repository. @throws ModelRtcError `not_found` */
async function digestAtWorkers(
  context: Context,
  { id, metadata }: CatalogModel,
  { sessions, agent }: Workers,
): Promise<Digest> {
  const { connect } = await import('@model-rtc/client');
  const { repo, revision } = metadata;
  for (const session of sessions) {
    await using worker = await connect({ ...agent, ...session, signal: context.signal });
    const { models } = await worker.listModels({ signal: context.signal });
    const found = models.find(
      ({ digest, hub }) =>
        digest !== undefined &&
        hub?.repo === repo &&
        (revision === undefined || revision === hub?.revision || revision === hub?.commit),
    );
    if (found?.digest !== undefined) return found.digest;
  }
  const sentence = `No worker that you named has ${repo ?? id}. Leave out --worker to fetch it from the hub.`;
  throw new ModelRtcError('not_found', sentence, { details: { ref: id } });
}
