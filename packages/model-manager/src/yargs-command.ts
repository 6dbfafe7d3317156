import { MODELS_COMMANDS, MODELS_DESCRIBE } from './commands/index.ts';
import { safe } from './commands/text.ts';
import type { ModelsArgument, ModelsCommand } from './commands/types.ts';
import { type CommonValues, type ModelsCommandConfig, runInProcess } from './host-context.ts';

/** The part of a yargs parser that is used here, so that yargs itself is not needed to load this. */
export interface YargsLike {
  command(
    usage: string,
    describe: string,
    builder: (own: never) => unknown,
    handler: (argv: never) => unknown,
  ): unknown;
  positional(name: string, spec: object): unknown;
  option(name: string, spec: object): unknown;
  example(line: string, meaning: string): unknown;
  demandCommand(min: number, message: string): unknown;
  strict(): unknown;
  fail(handler: (message: string | null, error: Error | undefined) => void): unknown;
  exit(code: number, error: Error): void;
}

/** A command module, as yargs's `.command()` takes it. */
export interface YargsModelsCommand {
  readonly command: string;
  readonly describe: string;
  // biome-ignore lint/suspicious/noExplicitAny: yargs's own types of a builder depend on the program's options
  readonly builder: (parser: any) => any;
  readonly handler: () => void;
}

const COMMON = {
  json: { type: 'boolean', default: false, describe: 'Print the result as JSON' },
  quiet: { type: 'boolean', default: false, describe: 'Print only the result and errors' },
  verbose: { type: 'boolean', default: false, describe: 'Log every step' },
};
const BAD_ARGUMENTS_EXIT_CODE = 2;

/**
 * The commands `models ...` for any yargs program: `yargs(args).command(createModelsCommand({ appName: 'mytool', registryUrl }))`. They
 * print, and set the exit code of the process: 0 to 9 as docs/cli.md has them, 130 when interrupted.
 */
export function createModelsCommand(config: ModelsCommandConfig): YargsModelsCommand {
  return {
    command: 'models',
    describe: MODELS_DESCRIBE,
    builder: (parser: YargsLike) => addCommands(parser, config),
    // The help is shown when no command is named.
    handler: () => {},
  };
}

function addCommands(parser: YargsLike, config: ModelsCommandConfig): YargsLike {
  const program = `${config.appName} models`;
  // yargs goes on to the command after a program's own answer to wrong arguments.
  let isRefused = false;
  for (const [name, spec] of Object.entries(COMMON)) parser.option(name, spec);
  for (const command of MODELS_COMMANDS) {
    const run = async (argv: CommonValues & Readonly<Record<string, unknown>>): Promise<void> => {
      if (!isRefused) await runInProcess(config, command, withRepeated(command, argv));
    };
    parser.command(command.usage, command.describe, (own: YargsLike) => addArguments(own, command, program), run);
  }
  parser.demandCommand(1, 'Missing command.');
  parser.strict();
  parser.fail((message, error) => {
    isRefused = true;
    const text = plainText(message ?? error?.message ?? '');
    process.stderr.write(`${config.appName}: ${text}${/[.?!]$/.test(text) ? '' : '.'} See: ${program} --help\n`);
    process.exitCode = BAD_ARGUMENTS_EXIT_CODE;
    parser.exit(BAD_ARGUMENTS_EXIT_CODE, error ?? new Error(text));
  });
  return parser;
}

function addArguments(own: YargsLike, { positionals, options, examples }: ModelsCommand, program: string): YargsLike {
  for (const [name, spec] of Object.entries(positionals)) own.positional(name, shown(spec));
  for (const [name, spec] of Object.entries(options)) {
    own.option(name, { ...shown(spec), requiresArg: spec.type !== 'boolean' });
  }
  for (const [line, meaning] of examples) own.example(line.replace('$0', program), meaning);
  return own;
}

function shown({ isRepeated: _, completes: _kind, env, describe, ...spec }: ModelsArgument): object {
  return { ...spec, describe: env === undefined ? describe : `${describe} [env: ${env}]` };
}

/** yargs gives an option that may be repeated as one value or as several. */
function withRepeated(
  { options }: ModelsCommand,
  argv: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const repeated = Object.entries(options).filter(([, { isRepeated }]) => isRepeated);
  const lists = repeated.map(([name]) => [name, argv[name] === undefined ? undefined : [argv[name]].flat()]);
  return { ...argv, ...Object.fromEntries(lists) };
}

/** What yargs says of wrong arguments, as one line. */
function plainText(message: string): string {
  const line = safe(message.replaceAll(/\s*\n\s*/g, ' '));
  return line.replace(
    /^Not enough non-option arguments: got (\d+), need at least (\d+)/,
    'Expected $2 arguments, got $1',
  );
}
