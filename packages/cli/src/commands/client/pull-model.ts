import type { PullModelResult } from '@model-rtc/client';
import { formatBytes, type ModelEntry } from '@model-rtc/protocol';
import { defineCommand } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { printable, shortName } from '../../console/format.ts';
import { agentOptions, namedSessions } from '../connect.ts';
import { incompleteNote } from '../incomplete.ts';
import { networkOptions, safeOnlyOption, workerOption } from '../options.ts';
import { registryOptions, registryProvider } from '../static-registry.ts';
import { askOnAliasConflict, noteTakenAlias } from './conflicts.ts';
import { hubOptions, pullFromHub, refuseHubOptions } from './pull-from-hub.ts';
import { beginTransfer, printPlan, resultData, transferOptions, transferText, workersText } from './transfer.ts';

export const pullModel = defineCommand({
  usage: 'pull-model <ref>',
  describe: 'Fetch a model from workers, a static registry or a hub, or from several of them, to this machine',
  positionals: {
    ref: {
      type: 'string',
      demandOption: true,
      describe:
        "The worker's id, alias, digest prefix or full name of a model (GROUP/MODEL@VERSION), or else this machine's; hf:ORG/NAME[@REV] on a hub",
      completes: 'remote-models',
    },
  },
  options: {
    ...networkOptions,
    ...transferOptions,
    ...safeOnlyOption,
    // Not an array option: that would take REF for one more session.
    worker: {
      ...workerOption,
      // A set, since yargs makes an array of an option that may be given only once.
      coerce: (given: string | string[] | undefined) => new Set([given ?? []].flat()),
      describe: 'A session: a token, a saved name, or @FILE; several fetch from all at once',
    },
    ...registryOptions,
    ...hubOptions,
    alias: { type: 'string', describe: 'Its alias here [the one it has here, else the one it has at the worker]' },
  },
  examples: [
    ['$0 client pull-model good-mouse-v1 --worker lab', 'from a saved worker'],
    ['$0 client pull-model good-mouse-v1 --worker lab --worker gpu', 'from both at once'],
    ['$0 client pull-model whisper/tiny@fp16 --registry https://models.example.org', 'from a static registry'],
    ['$0 client pull-model 4f1c22ab --worker @session.txt', 'by id, with a token from a file'],
    ['$0 client pull-model hf:org/tiny --worker lab', 'from a hub, and from a worker that has files of it'],
    ['$0 client pull-model mouse --worker lab --alias-conflict overwrite', 'replace the old "mouse"'],
  ],
  async run(context, options) {
    const { ref, alias, aliasConflict, ifExists, safeOnly, dryRun } = options;
    if (ref.startsWith('hf:')) return await pullFromHub(context, options);
    refuseHubOptions(options);
    const controls = await beginTransfer(context, options);
    const onModel = (entry: ModelEntry) => {
      if (entry.incomplete !== undefined) context.output.note(incompleteNote(entry));
    };
    const onEarlierContent = ({ alias, id }: ModelEntry, bytes: number) => {
      const name = printable(alias ?? id);
      context.output.note(
        `${name} is other content now than in an attempt that ended early and left ${formatBytes(bytes)}. What both have in common is not fetched again.`,
      );
    };
    const { connectAll } = await import('@model-rtc/client');
    const registry = await registryProvider(context, options);
    const sessions = await sessionsBeside(context, registry, options.worker);
    const providers = registry === undefined ? [] : [registry];
    await using workers = connectAll({ ...(await agentOptions(context, options)), sessions, providers });
    if (dryRun) {
      const plan = await workers.planPull(ref, { safeOnly, onModel, ...controls });
      noteWhoseName(context, ref, plan);
      printPlan(context, plan, 'here');
      return;
    }
    const result = await askOnAliasConflict(context, aliasConflict, (conflict) =>
      workers.pullModel(ref, {
        alias,
        aliasConflict: conflict,
        ifExists,
        safeOnly,
        onModel,
        onEarlierContent,
        ...controls,
      }),
    );
    noteWhoseName(context, ref, { ...result, id: result.entry.id });
    noteTakenAlias(context, result, 'here');
    context.output.result(resultData(result), pulledText(result));
  },
});

/** With a registry no worker is needed: the one in the environment is asked as well if there is one. */
async function sessionsBeside(context: Context, registry: object | undefined, given: Iterable<string> = []) {
  const named = [...given];
  const isNamed = named.length > 0 || context.runtime.env.MODEL_RTC_SESSION !== undefined;
  return registry === undefined || isNamed ? await namedSessions(context, named) : [];
}

/** Says which model a reference named when it could have been another: the worker's names win over this machine's. */
function noteWhoseName(
  { output }: Context,
  ref: string,
  named: Pick<PullModelResult, 'namedBy' | 'otherHere' | 'namedAt'> & { readonly id: string },
): void {
  const { id, namedBy, otherHere, namedAt } = named;
  if (namedBy === 'client') {
    output.note(`${namedAt} has no model "${ref}"; using this machine's name for ${id}.`);
  } else if (otherHere !== undefined) {
    output.note(`"${ref}" is what ${namedAt} calls ${id}; on this machine it is ${otherHere}.`);
  }
}

function pulledText(result: PullModelResult): string {
  const name = shortName(result.entry);
  const from = printable(result.workers.map((worker) => worker.name).join(', ') || result.namedAt);
  const verb = result.outcome === 'pulled' ? `Pulled ${name} from` : `${name} is already here, the same as at`;
  const lines = [`${verb} ${from}${transferText(result)}`, ...workersText(result.workers)];
  return [...lines, `  ${result.entry.localPath}`].join('\n');
}
