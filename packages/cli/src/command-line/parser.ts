import yargs, { type Argv, type PositionalOptions } from 'yargs';
import { type Context, runInContext } from '../console/context.ts';
import type { Runtime } from '../console/runtime.ts';
import { packageVersion } from '../package.ts';
import { type ArgumentSpec, type ArgumentSpecs, type Command, type CommandGroup, isGroup, PROGRAM } from './types.ts';
import { assertGivenOnce, assertNumbers, UsageError } from './usage-errors.ts';

/** The options that every command has. */
export const COMMON_OPTIONS = {
  json: { type: 'boolean', default: false, describe: 'Print the result as JSON', global: true },
  quiet: { type: 'boolean', default: false, alias: 'q', describe: 'Print only the result and errors', global: true },
  verbose: { type: 'boolean', default: false, alias: 'v', describe: 'Log every step', global: true },
} as const satisfies ArgumentSpecs;

const EPILOGUE =
  'Set MODEL_RTC_HOME to use another data folder, MODEL_RTC_SESSION to name a session once for all commands.';

const WIDEST_HELP = 110;

/** One run of the program: the command that the arguments name runs in it, and leaves its exit code. */
export class Invocation {
  readonly runtime: Runtime;
  exitCode = 0;
  /** Whether the arguments were refused before any command ran. */
  failed = false;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }
}

/** Makes a parser of the commands. What it refuses it throws as a UsageError. */
export function buildParser(root: CommandGroup, invocation: Invocation): Argv {
  const parser = yargs()
    .scriptName(PROGRAM)
    .usage(`$0 <command>\n\n${root.describe}`)
    .options(COMMON_OPTIONS)
    .version(packageVersion())
    .help()
    .alias('help', 'h')
    .wrap(Math.min(WIDEST_HELP, invocation.runtime.stdout.columns ?? WIDEST_HELP))
    .exitProcess(false)
    .epilogue(EPILOGUE)
    .check((argv, known) => {
      assertGivenOnce(argv, known);
      assertNumbers(argv, known);
      return true;
    })
    .fail((message, error) => {
      invocation.failed = true;
      if (error !== undefined && error !== null) throw error;
      throw new UsageError(message);
    });
  return addCommands(parser, root, invocation);
}

function addCommands(parser: Argv, group: CommandGroup, invocation: Invocation): Argv {
  for (const command of group.commands) {
    if (isGroup(command)) {
      const addInner = (inner: Argv): Argv => addCommands(inner, command, invocation);
      parser.command(command.name, command.describe, addInner);
    } else addCommand(parser, command, invocation);
  }
  for (const [line, meaning] of group.examples) parser.example(line, meaning);
  if (!group.commands.some((command) => !isGroup(command) && command.isDefault)) {
    const [[example = ''] = []] = group.examples;
    parser.demandCommand(1, `Missing command. For example: ${example.replace('$0', PROGRAM)}`);
  }
  return parser.strictCommands().strict().recommendCommands();
}

function addCommand(parser: Argv, command: Command, invocation: Invocation): void {
  const { usage, describe, positionals = {}, options = {}, examples, epilogue } = command;
  parser.command(
    command.isDefault === true ? [usage, '$0'] : usage,
    describe,
    (own) => {
      for (const [name, spec] of Object.entries(positionals)) own.positional(name, shown(spec) as PositionalOptions);
      for (const [name, spec] of Object.entries(options)) own.option(name, shown(spec));
      for (const [line, meaning] of examples) own.example(line, meaning);
      return epilogue === undefined ? own : own.epilogue(epilogue);
    },
    async (argv) => {
      const work = (context: Context): Promise<void> => command.run(context, argv as never);
      invocation.exitCode = await runInContext(invocation.runtime, argv as never, work);
    },
  );
}

/** An argument as the help shows it, with its environment variable. */
function shown(spec: ArgumentSpec): ArgumentSpec {
  return spec.env === undefined ? spec : { ...spec, describe: `${spec.describe} [env: ${spec.env}]` };
}
