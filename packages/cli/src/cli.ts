import { buildParser, Invocation } from './command-line/parser.ts';
import { usageMessage } from './command-line/usage-errors.ts';
import { COMMANDS } from './commands/index.ts';
import { Output } from './console/output.ts';
import type { Runtime } from './console/runtime.ts';

const BAD_ARGUMENTS_EXIT_CODE = 2;

/**
 * Runs the command line and gives its exit code; docs/cli.md lists them.
 *
 * @param args - the words after the program's name.
 */
export async function runCli(args: readonly string[], runtime: Runtime): Promise<number> {
  const invocation = new Invocation(runtime);
  const parser = buildParser(COMMANDS, invocation);
  try {
    await parser.parseAsync([...args], {}, (_error, _argv, text) => {
      // Help and version texts, which are results; complaints go the way of `fail`.
      if (text !== '' && !invocation.failed) runtime.stdout.write(`${text}\n`);
    });
  } catch (error) {
    const message = usageMessage(error, COMMANDS, args);
    if (message === undefined) throw error;
    new Output(runtime, { json: args.includes('--json'), quiet: false }).error({ code: 'bad_argument', message });
    return BAD_ARGUMENTS_EXIT_CODE;
  }
  return invocation.exitCode;
}
