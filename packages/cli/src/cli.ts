import { ModelRtcError } from '@model-rtc/protocol';
import yargs, { type Argv } from 'yargs';
import { addClientCommands } from './commands/client/index.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addSettingsCommand } from './commands/settings.ts';
import { addSignalingCommand } from './commands/signaling.ts';
import { addWorkerCommands } from './commands/worker/index.ts';
import { assertGivenOnce } from './console/given-once.ts';
import { Invocation } from './console/invocation.ts';
import { Output } from './console/output.ts';
import type { Runtime } from './console/runtime.ts';
import { packageVersion } from './version.ts';

const BAD_ARGUMENTS_EXIT_CODE = 2;

/**
 * Runs the command line and gives its exit code (DESIGN section 8).
 *
 * @param args - the words after the program's name.
 */
export async function runCli(args: readonly string[], runtime: Runtime): Promise<number> {
  const invocation = new Invocation(runtime);
  const parser = buildParser(invocation);
  try {
    await parser.parseAsync([...args], {}, (_error, _argv, text) => {
      // Help and version texts, which are results; complaints go the way of `fail` below.
      if (text !== '' && !invocation.failed) runtime.stdout.write(`${text}\n`);
    });
  } catch (error) {
    const message = usageProblem(error);
    if (message === undefined) throw error;
    new Output(runtime, { json: args.includes('--json'), quiet: false }).error({ code: 'bad_argument', message });
    return BAD_ARGUMENTS_EXIT_CODE;
  }
  return invocation.exitCode;
}

class UsageError extends Error {}

/** Some complaints, such as of an option without its value, yargs throws in place of telling them. */
function usageProblem(error: unknown): string | undefined {
  if (error instanceof UsageError) return error.message;
  if (error instanceof ModelRtcError && error.code === 'bad_argument') return usageMessage(error.message);
  return error instanceof Error && error.name === 'YError' ? usageMessage(error.message) : undefined;
}

/** What yargs would say in words of its own trade. */
const PLAIN_STRINGS = {
  'Not enough non-option arguments: got %s, need at least %s': {
    one: 'Something is missing after the command: %s given, %s needed',
    other: 'Something is missing after the command: %s given, %s needed',
  },
  'Invalid values:': 'Not possible:',
} as unknown as Record<string, string>;

/** yargs gives a guess ("Did you mean pull-model?") on a line of its own. */
function usageMessage(message: string): string {
  const text = message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('. ')
    .replaceAll(':. ', ': ');
  return `${text}${/[.?!]$/.test(text) ? '' : '.'} See: model-rtc --help, or --help after a command.`;
}

function buildParser(invocation: Invocation): Argv {
  const base = yargs()
    .scriptName('model-rtc')
    .usage('$0 <command>\n\nMoves machine-learning models directly between two machines.')
    .option('json', { type: 'boolean', default: false, describe: 'Print the result as JSON', global: true })
    .option('quiet', {
      type: 'boolean',
      default: false,
      alias: 'q',
      describe: 'Print the result and errors only',
      global: true,
    })
    .option('verbose', {
      type: 'boolean',
      default: false,
      alias: 'v',
      describe: 'Print what happens inside',
      global: true,
    });
  addWorkerCommands(base, invocation);
  addClientCommands(base, invocation);
  addSignalingCommand(base, invocation);
  addSettingsCommand(base, invocation);
  addDemoCommand(base, invocation);
  return base
    .demandCommand(1, 'Say what to do, for example: model-rtc worker.')
    .strictCommands()
    .strict()
    .updateStrings(PLAIN_STRINGS)
    .recommendCommands()
    .version(packageVersion())
    .help()
    .alias('help', 'h')
    .wrap(Math.min(110, invocation.runtime.stdout.columns ?? 110))
    .exitProcess(false)
    .example('$0 worker', 'serve the models of this machine, and print a session')
    .example('$0 client pull-model good-mouse-v1 --worker SESSION', 'fetch a model')
    .example('$0 client push-model legacy-rat --worker SESSION', 'send a model')
    .epilogue('Environment: MODEL_RTC_HOME is the data folder, MODEL_RTC_SESSION the session when none is given.')
    .check((argv, known) => {
      assertGivenOnce(argv, known);
      return true;
    })
    .fail((message, error) => {
      invocation.failed = true;
      if (error !== undefined && error !== null) throw error;
      throw new UsageError(usageMessage(message));
    }) as Argv;
}
