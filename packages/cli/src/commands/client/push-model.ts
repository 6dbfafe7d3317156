import { defineCommand } from '../../command-line/types.ts';
import { printable } from '../../console/format.ts';
import { networkOptions, withWorker, workerOption } from '../connect.ts';
import { localModel } from '../options.ts';
import { askOnAliasConflict } from './conflicts.ts';
import { planText, transferText } from './transfer/text.ts';
import { reportPlan, resultData, speedOf, transferOptions, watchTransfer } from './transfer/transfer.ts';

export const pushModel = defineCommand({
  usage: 'push-model <ref>',
  describe: 'Send a model of this machine to a worker',
  positionals: { ref: localModel },
  options: {
    ...networkOptions,
    ...transferOptions,
    worker: workerOption,
    alias: {
      type: 'string',
      describe: 'Its alias at the worker [the one it has there, else the one it has here]',
    },
  },
  examples: [
    ['$0 client push-model legacy-rat --worker lab', 'to a saved worker'],
    ['$0 client push-model mouse --worker lab --alias-conflict rename', 'as "mouse-2" if "mouse" is taken there'],
  ],
  async run(context, options) {
    const { ref, alias, aliasConflict, ifExists, dryRun } = options;
    const speed = speedOf(options);
    await watchTransfer(context, options, (watch) =>
      withWorker(context, { ...options, session: options.worker }, async (worker) => {
        const workerName = printable(worker.workerName);
        if (dryRun) {
          const plan = await worker.planPush(ref, watch);
          reportPlan(context, plan);
          context.output.result({ outcome: 'planned', ...plan }, planText(plan, `at ${workerName}`));
          return;
        }
        const result = await askOnAliasConflict(context, aliasConflict, (conflict) =>
          worker.pushModel(ref, { alias, aliasConflict: conflict, ifExists, ...speed, ...watch }),
        );
        watch.end();
        const name = printable(result.entry.alias ?? result.entry.id);
        const verb = result.outcome === 'pushed' ? `Pushed ${name} to` : `${name} is already at`;
        context.output.result(resultData(result), `${verb} ${workerName}${transferText(result)}`);
      }),
    );
  },
});
