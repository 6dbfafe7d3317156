import yargs, { type Argv } from 'yargs';
import { addClientCommands } from './commands/client/index.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addSignalingCommand } from './commands/signaling.ts';
import { addWorkerCommands } from './commands/worker/index.ts';
import { Invocation } from './console/invocation.ts';
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
    if (!(error instanceof UsageError)) throw error;
    runtime.stderr.write(`model-rtc: ${error.message}\n`);
    return BAD_ARGUMENTS_EXIT_CODE;
  }
  return invocation.exitCode;
}

class UsageError extends Error {}

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
  addDemoCommand(base, invocation);
  return base
    .demandCommand(1, 'Say what to do, for example: model-rtc worker. All commands: model-rtc --help')
    .strict()
    .recommendCommands()
    .version(packageVersion())
    .help()
    .alias('help', 'h')
    .wrap(Math.min(110, invocation.runtime.stdout.columns ?? 110))
    .exitProcess(false)
    .epilogue('Environment: MODEL_RTC_HOME is the data folder, MODEL_RTC_SESSION the session when none is given.')
    .fail((message, error) => {
      invocation.failed = true;
      if (error !== undefined && error !== null) throw error;
      throw new UsageError(`${message.split('\n').at(-1)} See: model-rtc --help`);
    }) as Argv;
}
