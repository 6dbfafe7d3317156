import yargs, { type Argv, type PositionalOptions } from 'yargs';
import type { CommonOptions, Context } from '../console/context.ts';
import { packageVersion } from '../package.ts';
import { type ArgumentSpec, COMMON_OPTIONS, type Command, type CommandGroup, isGroup, PROGRAM } from './types.ts';
import { assertGivenOnce, assertNumbers, UsageError } from './usage-errors.ts';

const EPILOGUE =
  'Set MODEL_RTC_HOME to use another data folder, MODEL_RTC_SESSION to name a session once for all commands.';

const WIDEST_HELP = 110;

/** What the arguments ask for. */
export type Parsed =
  | {
      readonly kind: 'command';
      readonly options: CommonOptions;
      readonly importsModels: boolean;
      run(context: Context): Promise<void>;
    }
  /** The help or the version. */
  | { readonly kind: 'text'; readonly text: string };

type Select = (parsed: Parsed) => void;

/**
 * Finds the command that the arguments name, without running it.
 *
 * @param columns - the terminal's; undefined when there is none.
 * @throws UsageError, or another error that `usageMessage` knows.
 */
export async function parseArguments(
  root: CommandGroup,
  args: readonly string[],
  columns: number | undefined,
): Promise<Parsed> {
  let parsed: Parsed = { kind: 'text', text: '' };
  const parser = createParser(root, columns, (selected) => {
    parsed = selected;
  });
  skipUnusedHelp(parser);
  await parser.parseAsync([...args], {}, (_error, _argv, text) => {
    if (text !== '') parsed = { kind: 'text', text };
  });
  return parsed;
}

function createParser(root: CommandGroup, columns: number | undefined, select: Select): Argv {
  const parser = yargs()
    .scriptName(PROGRAM)
    .usage(`$0 <command>\n\n${root.describe}`)
    .options(COMMON_OPTIONS)
    .version(packageVersion())
    .help()
    .alias('help', 'h')
    .wrap(Math.min(WIDEST_HELP, columns || WIDEST_HELP))
    .exitProcess(false)
    .epilogue(EPILOGUE)
    .check((argv, known) => {
      assertGivenOnce(argv, known);
      assertNumbers(argv, known);
      return true;
    })
    .fail((message, error) => {
      if (error !== undefined && error !== null) throw error;
      throw new UsageError(message);
    });
  return addCommands(parser, root, select);
}

/** yargs renders the help of every command before it runs, in case it fails; that takes a tenth of the time of list-models. */
function skipUnusedHelp(parser: Argv): void {
  const { getInternalMethods } = parser as { getInternalMethods?: () => { getUsageInstance(): object } };
  if (getInternalMethods !== undefined)
    Object.assign(getInternalMethods.call(parser).getUsageInstance(), { cacheHelpMessage() {} });
}

function addCommands(parser: Argv, group: CommandGroup, select: Select): Argv {
  for (const command of group.commands) {
    if (isGroup(command)) {
      const addInner = (inner: Argv): Argv => addCommands(inner, command, select);
      parser.command(command.name, command.describe, addInner);
    } else addCommand(parser, command, select);
  }
  for (const [line, meaning] of group.examples) parser.example(line, meaning);
  if (!group.commands.some((command) => !isGroup(command) && command.isDefault)) {
    const [[example = ''] = []] = group.examples;
    parser.demandCommand(1, `Missing command. For example: ${example.replace('$0', PROGRAM)}`);
  }
  return parser.strictCommands().strict().recommendCommands();
}

function addCommand(parser: Argv, command: Command, select: Select): void {
  const { usage, describe, positionals = {}, options = {}, examples, epilogue } = command;
  parser.command(
    command.isDefault === true ? [usage, '$0'] : usage,
    describe,
    (own) => {
      for (const [name, spec] of Object.entries(positionals)) own.positional(name, shown(spec) as PositionalOptions);
      for (const [name, spec] of Object.entries(options))
        own.option(name, { ...shown(spec), requiresArg: spec.type !== 'boolean' });
      for (const [line, meaning] of examples) own.example(line, meaning);
      return epilogue === undefined ? own : own.epilogue(epilogue);
    },
    (argv) => {
      const run = (context: Context): Promise<void> => command.run(context, argv as never);
      const importsModels = command.importsModels?.(argv as never) === true;
      select({ kind: 'command', options: argv as unknown as CommonOptions, importsModels, run });
    },
  );
}

/** An argument as the help shows it, with its environment variable. */
function shown(spec: ArgumentSpec): ArgumentSpec {
  return spec.env === undefined ? spec : { ...spec, describe: `${spec.describe} [env: ${spec.env}]` };
}
