import { defineCommand } from '../../command-line/types.ts';
import { suggestedSession } from '../../console/suggested-session.ts';
import { connectWorker } from '../connect.ts';
import { isFiltered, limitOf, listOptions, NO_MATCH, printModels, queryOf } from '../model-list.ts';
import { networkOptions, workerOption } from '../options.ts';
import { printProblems, problemsOption, requireOwnWorker } from '../problems.ts';

export const listWorkerModels = defineCommand({
  usage: 'list-models',
  describe: 'List the models that a worker has now',
  options: { session: { ...workerOption, alias: 'worker' }, ...networkOptions, ...listOptions, ...problemsOption },
  examples: [
    ['$0 worker list-models --session lab', 'of a saved worker'],
    ['$0 worker list-models --session @session.txt --problems', "what this machine's worker left out, and why"],
  ],
  async run(context, options) {
    const limit = limitOf(options);
    if (options.problems) {
      await requireOwnWorker(context, options.session);
      return await printProblems(context);
    }
    await using worker = await connectWorker(context, options, options.session);
    const registry = await context.registry();
    const { location = 'worker' } = options;
    const isHere = location === 'local' || location === 'both';
    const found = await worker.listModels({
      ...queryOf(options),
      limit: isHere ? undefined : limit,
      signal: context.signal,
    });
    const rows = await registry.alsoKnown(found.models);
    const shown = isHere ? rows.filter(({ here }) => here !== undefined) : rows;
    const listing = { models: shown.slice(0, limit), total: isHere ? shown.length : found.total };
    const session = await suggestedSession(context, { given: options.session });
    const none = `${worker.workerName} has no models yet. Send it one: model-rtc client push-model REF --worker ${session}`;
    await printModels(context, listing, isFiltered(options) || isHere ? NO_MATCH : none);
  },
});
