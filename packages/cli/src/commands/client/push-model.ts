import type { PushModelResult } from '@model-rtc/client';
import { formatBytes, type ModelEntry } from '@model-rtc/protocol';
import { defineCommand, textOption } from '../../command-line/types.ts';
import { printable, shortName } from '../../console/format.ts';
import { connectWorker } from '../connect.ts';
import { incompleteNote } from '../incomplete.ts';
import { localModel, networkOptions, workerOption } from '../options.ts';
import { askAliasConflict, noteTakenAlias } from './conflicts.ts';
import { beginTransfer, printPlan, resultData, transferOptions, transferText } from './transfer.ts';

/** The worker's own way to a hub. */
function hubText({ hubBytes = 0 }: PushModelResult): string {
  return hubBytes === 0 ? '' : `\n  of that, the worker fetched ${formatBytes(hubBytes)} from the hub itself`;
}

export const pushModel = defineCommand({
  usage: 'push-model <ref>',
  describe: 'Send a model of this machine to a worker',
  positionals: { ref: localModel },
  options: {
    ...networkOptions,
    ...transferOptions,
    worker: workerOption,
    'from-hub': {
      choices: ['auto', 'off'],
      describe:
        'Let the worker fetch from the hub what came from there and comes faster so, if its owner lets it [auto]',
    },
    alias: textOption('Its alias at the worker [the one it has there, else the one it has here]'),
  },
  examples: [
    ['$0 client push-model legacy-rat --worker lab', 'to a saved worker'],
    ['$0 client push-model mouse --worker lab --alias-conflict rename', 'as "mouse-2" if "mouse" is taken there'],
  ],
  async run(context, options) {
    const { ref, alias, aliasConflict, ifExists, dryRun } = options;
    const onModel = (entry: ModelEntry) => {
      if (entry.incomplete !== undefined) context.output.note(incompleteNote(entry));
    };
    const onChangedFiles = (entry: ModelEntry) => {
      const name = printable(entry.alias ?? entry.id);
      context.output.note(`The files of ${name} changed since they were registered; it is model ${entry.id} now.`);
    };
    const noticed = { onModel, onChangedFiles, ...(await beginTransfer(context, options)) };
    await using worker = await connectWorker(context, options, options.worker);
    const workerName = printable(worker.workerName);
    if (dryRun) return printPlan(context, await worker.planPush(ref, noticed), `at ${workerName}`);
    const how = { fromHub: options.fromHub !== 'off', alias, ifExists, ...noticed };
    const result = await worker.pushModel(ref, { ...how, aliasConflict }).catch(async (error: unknown) => {
      const answer = await askAliasConflict(context, aliasConflict, error);
      return await worker.pushModel(ref, { ...how, aliasConflict: answer });
    });
    noteTakenAlias(context, result, `at ${workerName}`);
    const name = shortName(result.entry);
    const verb = result.outcome === 'pushed' ? `Pushed ${name} to` : `${name} is already at`;
    context.output.result(resultData(result), `${verb} ${workerName}${transferText(result)}${hubText(result)}`);
  },
});
