import yargs, { type Argv, type PositionalOptions } from 'yargs';
import { type Context, runInContext } from '../console/context.ts';
import type { Runtime } from '../console/runtime.ts';
import { packageVersion } from '../package.ts';
import { type Command, type CommandGroup, isGroup, nameOf } from './types.ts';
import { assertGivenOnce, UsageError } from './usage-errors.ts';

/** The options that every command has. */
const COMMON_OPTIONS = {
  json: { type: 'boolean', default: false, describe: 'Print the result as JSON', global: true },
  quiet: { type: 'boolean', default: false, alias: 'q', describe: 'Print only the result and errors', global: true },
  verbose: { type: 'boolean', default: false, alias: 'v', describe: 'Log every step', global: true },
} as const;

const EPILOGUE = 'Environment: MODEL_RTC_HOME is the data folder, MODEL_RTC_SESSION the session when none is given.';

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
    .scriptName(root.name)
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
      return true;
    })
    .fail((message, error) => {
      invocation.failed = true;
      if (error !== undefined && error !== null) throw error;
      throw new UsageError(message);
    });
  return addCommands(parser, root, invocation, [root.name]);
}

function addCommands(parser: Argv, group: CommandGroup, invocation: Invocation, path: readonly string[]): Argv {
  for (const command of group.commands) {
    if (isGroup(command)) {
      const inner = [...path, command.name];
      parser.command(command.name, command.describe, (own) => addCommands(own, command, invocation, inner));
    } else addCommand(parser, command, invocation);
  }
  for (const [line, meaning] of group.examples) parser.example(line, meaning);
  if (!group.commands.some((command) => !isGroup(command) && command.isDefault)) {
    const [first] = group.commands.filter((command) => !isGroup(command) || command.name !== 'completion');
    const example = [...path, first === undefined ? '' : nameOf(first)].join(' ');
    parser.demandCommand(1, `Missing command. For example: ${example}`);
  }
  return parser.strictCommands().strict().recommendCommands();
}

function addCommand(parser: Argv, command: Command, invocation: Invocation): void {
  const { usage, describe, positionals = {}, options = {}, examples, epilogue } = command;
  parser.command(
    command.isDefault === true ? [usage, '$0'] : usage,
    describe,
    (own) => {
      for (const [name, spec] of Object.entries(positionals)) own.positional(name, spec as PositionalOptions);
      own.options(options);
      for (const [line, meaning] of examples) own.example(line, meaning);
      return epilogue === undefined ? own : own.epilogue(epilogue);
    },
    async (argv) => {
      const work = (context: Context): Promise<void> => command.run(context, argv as never);
      invocation.exitCode = await runInContext(invocation.runtime, argv as never, work);
    },
  );
}
