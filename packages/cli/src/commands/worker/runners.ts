import type { RunnerTrial, ShownRunner } from '@model-rtc/jobs';
import { ModelRtcError } from '@model-rtc/protocol';
import { type CommandGroup, defineCommand, requiredText } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { printable } from '../../console/format.ts';
import { renderTable } from '../../console/table.ts';

const list = defineCommand({
  usage: 'list',
  describe: 'List the programs that clients may run here, and why one cannot run',
  examples: [
    ['$0 worker runners list', 'those of yours, and those that were found on this machine'],
    ['$0 worker runners list --json', 'with everything that "add" takes, in the field "runner"'],
  ],
  async run(context) {
    const runners = await runnersOf(context);
    context.output.result({ runners }, runnersText(runners, context.output.columns));
  },
});

const add = defineCommand({
  usage: 'add <file>',
  describe: 'Let clients run a program, declared in a JSON file; one of the same name is replaced',
  positionals: {
    file: requiredText('The JSON file: see docs/track.md', { completes: 'files' }),
  },
  examples: [['$0 worker runners add runner.json', 'a running worker takes it at once']],
  async run(context, { file }) {
    const { parseRunner, RunnerStore, runnerProblem } = await import('@model-rtc/jobs');
    const runner = parseRunner(await readJson(file));
    const isReplaced = await new RunnerStore(await rootOf(context)).put(runner);
    const problem = await runnerProblem(runner, context.runtime.env);
    const done = `${isReplaced ? 'Replaced' : 'Added'} the runner ${runner.name}. A running worker takes it at once.`;
    context.output.result({ runner, replaced: isReplaced, usable: problem === undefined, reason: problem }, done);
    if (problem !== undefined) context.output.note(`It cannot run yet: ${problem}`);
  },
});

const test = defineCommand({
  usage: 'test <name>',
  describe: 'Check that a runner can run, and show what a job of it would start',
  positionals: { name: requiredText('Its name') },
  epilogue:
    'It checks that the program, the working folder and the confinement are there. Only the program of the runner onnx is also run, on a tiny model.',
  examples: [['$0 worker runners test onnx', 'exit code 1 when it does not work']],
  async run(context, { name }) {
    const { tryRunner } = await import('@model-rtc/jobs');
    const shown = named(await runnersOf(context), name);
    const trial = await tryRunner(shown, context.signal);
    const result = { name, works: trial.problem === undefined, ...trial };
    if (trial.problem === undefined) return context.output.result(result, trialText(name, trial));
    if (context.output.json) context.output.result(result, '');
    else if (trial.command !== undefined) context.output.note(commandText(trial));
    throw new ModelRtcError('unexpected', `The runner ${name} does not work: ${trial.problem}`);
  },
});

const remove = defineCommand({
  usage: 'remove <name>',
  describe: 'Let clients run one of your programs no more',
  positionals: { name: requiredText('Its name') },
  examples: [['$0 worker runners remove count', 'jobs that run now go on']],
  async run(context, { name }) {
    const { RunnerStore } = await import('@model-rtc/jobs');
    const isRemoved = await new RunnerStore(await rootOf(context)).remove(name);
    const found = (await runnersOf(context)).find((runner) => runner.name === name);
    if (!isRemoved && found !== undefined)
      throw new ModelRtcError(
        'bad_argument',
        `${name} was found on this machine, so it cannot be removed. To change it, add a runner of the same name.`,
      );
    if (!isRemoved) named([], name);
    const instead = found === undefined ? '' : ` The one of this name that was found on this machine takes its place.`;
    context.output.result({ name, removed: true }, `Removed the runner ${name}.${instead}`);
  },
});

/** The programs that this machine's owner lets clients run. */
export const runners: CommandGroup = {
  name: 'runners',
  describe: 'Choose which programs clients may run on models here',
  commands: [list, add, test, remove],
  examples: [
    ['$0 worker runners list', 'what clients can run'],
    ['$0 worker runners add runner.json', 'let them run more'],
  ],
};

async function rootOf(context: Context): Promise<string> {
  return (await context.registry()).paths.root;
}

async function runnersOf(context: Context): Promise<ShownRunner[]> {
  const { showRunners } = await import('@model-rtc/jobs');
  return await showRunners(await rootOf(context), context.runtime.env);
}

function named(all: readonly ShownRunner[], name: string): ShownRunner {
  const found = all.find((runner) => runner.name === name);
  if (found !== undefined) return found;
  throw new ModelRtcError('not_found_locally', `There is no runner named ${name}. See: model-rtc worker runners list`);
}

/** Far more than any runner needs. */
const MAX_FILE_BYTES = 1024 * 1024;

/** @throws ModelRtcError `bad_argument` for a file that is not there or no JSON; what reading it throws */
async function readJson(path: string): Promise<unknown> {
  const { readFile, stat } = await import('node:fs/promises');
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || found.size > MAX_FILE_BYTES)
    throw new ModelRtcError('bad_argument', `There is no JSON file ${path}. Pass the file that declares the runner.`);
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw ModelRtcError.because(
      cause,
      'bad_argument',
      `${path} is no JSON: ${cause.message}. Fix it, and add it again.`,
    );
  }
}

/** A table, and below it why each that cannot run cannot. */
function runnersText(all: readonly ShownRunner[], columns: number | undefined): string {
  const table = renderTable(
    all,
    [
      { title: 'NAME', value: ({ name }) => name, isWhole: true },
      { title: 'USABLE', value: ({ usable }) => (usable ? 'yes' : 'no') },
      { title: 'FROM', value: ({ origin }) => (origin === 'owner' ? 'you' : 'found'), optional: 2 },
      { title: 'MODELS', value: ({ runner }) => runner?.types?.join(', ') ?? 'any' },
      { title: 'DATA', value: ({ runner }) => runner?.inputs?.join(' ') ?? 'any', optional: 1 },
      { title: 'SETTINGS', value: ({ runner }) => Object.keys(runner?.set ?? {}).join(' '), optional: 3 },
    ],
    columns,
  );
  const reasons = all.filter(({ usable }) => !usable).map(({ name, reason = '' }) => `${name}: ${printable(reason)}`);
  return [table, ...(reasons.length === 0 ? [] : ['', ...reasons])].join('\n');
}

function trialText(name: string, trial: RunnerTrial): string {
  const what = trial.ran
    ? 'works: it ran a tiny model, with the right result.'
    : 'can run: its program is there. It was not started, since that needs a model.';
  return `The runner ${name} ${what}\n${commandText(trial)}`;
}

function commandText({ command = [] }: RunnerTrial): string {
  return `A job starts, with its own paths:\n  ${command.map(printable).join('\n    ')}`;
}
