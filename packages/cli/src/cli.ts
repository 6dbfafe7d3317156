import type { ModelReading } from '@model-rtc/registry';
import { type Parsed, parseArguments } from './command-line/parser.ts';
import { usageMessage } from './command-line/usage-errors.ts';
import { loadCommands } from './commands/index.ts';
import { Output } from './console/output.ts';
import type { Runtime } from './console/runtime.ts';

const BAD_ARGUMENTS_EXIT_CODE = 2;

/**
 * Runs the command line and gives its exit code; docs/cli.md lists them.
 *
 * @param args - the words after the program's name.
 */
export async function runCli(args: readonly string[], runtime: Runtime): Promise<number> {
  const commands = await loadCommands(args);
  let parsed: Parsed;
  try {
    parsed = await parseArguments(commands, args, runtime.stdout.columns);
  } catch (error) {
    const message = usageMessage(error, commands, args);
    if (message === undefined) throw error;
    new Output(runtime, { json: args.includes('--json'), quiet: false }).error({ code: 'bad_argument', message });
    return BAD_ARGUMENTS_EXIT_CODE;
  }
  if (parsed.kind === 'text') {
    runtime.stdout.write(`${parsed.text}\n`);
    return 0;
  }
  // It starts while the rest loads.
  const reading = parsed.importsModels ? await startReading() : undefined;
  // Only commands need the registry and all that is below it.
  const { runInContext } = await import('./console/context.ts');
  return await runInContext(runtime, parsed.options, parsed.run, reading);
}

async function startReading(): Promise<ModelReading> {
  const { startModelReading } = await import('@model-rtc/registry');
  return startModelReading();
}
