import type { ModelLocation, Registry } from '@model-rtc/registry';
import { defineCommand, textsOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { isTokenText } from '../../console/format.ts';
import { workerKeyOf } from '../../console/session-argument.ts';
import { suggestedSession } from '../../console/suggested-session.ts';
import { connectWorker } from '../connect.ts';
import { isFiltered, limitOf, listOptions, NO_MATCH, printModels, queryOf } from '../model-list.ts';
import { type NetworkOptions, networkOptions } from '../options.ts';
import { printProblems, problemsOption } from '../problems.ts';
import { rememberedWorker } from './remembered.ts';

export const listModels = defineCommand({
  usage: 'list-models',
  describe: 'List the models on this machine, or what workers had when last asked',
  options: {
    ...listOptions,
    ...problemsOption,
    ...networkOptions,
    worker: textsOption(
      'Only models that this worker had when last asked: a token, a saved name, @FILE, or what WHERE shows',
      { alias: 'session', completes: 'workers' },
    ),
  },
  examples: [
    ['$0 client list-models --sort-by size', 'the largest first'],
    ['$0 client list-models --worker lab --location both', 'models that are here and at a saved worker'],
    ['$0 client list-models --problems', "what this machine's worker left out of its folders, and why"],
    ["$0 client list-models --alias 'mouse-*' --json", 'for a script'],
  ],
  async run(context, { worker, ...options }) {
    const limit = limitOf(options);
    if (options.problems) return await printProblems(context);
    const registry = await context.registry();
    const workers = worker.length === 0 ? undefined : await knownWorkers(context, registry, worker, options);
    const location = options.location ?? (workers === undefined ? 'local' : 'worker');
    const listing = await registry.listKnown({ ...queryOf(options), location, workers, limit });
    await printModels(context, listing, isFiltered(options) ? NO_MATCH : await emptyHint(context, registry, location));
  },
});

/** The keys of the workers that a person names. A worker that was never asked for its models is asked now. */
async function knownWorkers(
  context: Context,
  registry: Registry,
  sessions: readonly string[],
  network: NetworkOptions,
): Promise<string[]> {
  const keys: string[] = [];
  for (const session of sessions) {
    // A worker that was asked once has a name here, and its session is not needed to show what it had.
    const remembered = isTokenText(session) ? undefined : await rememberedWorker(registry, session);
    const key = (await savedKey(context, session)) ?? remembered?.key ?? (await workerKeyOf(context, session));
    keys.push(key);
    if ((await registry.seenWorker(key))?.syncedAt !== undefined) continue;
    await using worker = await connectWorker(context, network, session);
    await worker.sync({ signal: context.signal });
  }
  return keys;
}

/** The key of the worker whose session is saved under a name. */
async function savedKey(context: Context, name: string): Promise<string | undefined> {
  const { SavedWorkers } = await import('../../console/saved-workers.ts');
  return (await SavedWorkers.open(context.home)).list().find((worker) => worker.name === name)?.workerKey;
}

async function emptyHint(context: Context, registry: Registry, location: ModelLocation): Promise<string> {
  if (location === 'local') return 'No models on this machine yet. Add one: model-rtc client import-model PATH';
  const isSynced = (await registry.seenWorkers()).some(({ syncedAt }) => syncedAt !== undefined);
  if (isSynced) return 'No models there.';
  return `No worker has been asked yet. Ask one: model-rtc client sync --worker ${await suggestedSession(context, {})}`;
}
