import { type Parsed, parseArguments } from './command-line/parser.ts';
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
  let parsed: Parsed;
  try {
    parsed = await parseArguments(COMMANDS, args, runtime.stdout.columns);
  } catch (error) {
    const message = usageMessage(error, COMMANDS, args);
    if (message === undefined) throw error;
    new Output(runtime, { json: args.includes('--json'), quiet: false }).error({ code: 'bad_argument', message });
    return BAD_ARGUMENTS_EXIT_CODE;
  }
  if (parsed.kind === 'text') {
    runtime.stdout.write(`${parsed.text}\n`);
    return 0;
  }
  // Only commands need the registry and all that is below it.
  const { runInContext } = await import('./console/context.ts');
  return await runInContext(runtime, parsed.options, parsed.run);
}
