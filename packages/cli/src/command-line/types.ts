import type { InferredOptionTypes, Options } from 'yargs';
import type { CommonOptions, Context } from '../console/context.ts';

/**
 * What a shell completes a value with: names that this machine knows, or paths. Options with `choices` need none of these. Releases are
 * the models of static registries, as GROUP/MODEL: those that are installed, or those that a registry listed as well; their versions
 * follow the word before.
 */
export type Completes =
  | 'models'
  | 'catalog-ids'
  | 'transfers'
  | 'remote-models'
  | 'aliases'
  | 'workers'
  | 'meshes'
  | 'mesh-nodes'
  | 'prefetch-rules'
  | 'files'
  | 'folders'
  | 'releases'
  | 'listed-releases'
  | 'release-versions'
  | 'listed-release-versions';

/** An option or a positional argument, as yargs takes it, with what the reference page and the completion need as well. */
export interface ArgumentSpec extends Options {
  readonly describe: string;
  /** The environment variable that is used when the option is not given. */
  readonly env?: string | undefined;
  readonly completes?: Completes | undefined;
}

export type ArgumentSpecs = Readonly<Record<string, ArgumentSpec>>;

type MoreOfSpec = Omit<ArgumentSpec, 'type' | 'describe'>;

/** An option that is off unless it is given. */
export function flagOption<const More extends MoreOfSpec = object>(describe: string, more?: More) {
  return { type: 'boolean', default: false, describe, ...(more as More) } as const;
}

/** A text that may be left out. */
export function textOption<const More extends MoreOfSpec = object>(describe: string, more?: More) {
  return { type: 'string', describe, ...(more as More) } as const;
}

/** An option that may be given several times, or not at all. */
export function textsOption<const More extends MoreOfSpec = object>(describe: string, more?: More) {
  return { type: 'string', array: true, default: [], describe, ...(more as More) } as const;
}

/** A text that has to be given. */
export function requiredText<const More extends MoreOfSpec = object>(describe: string, more?: More) {
  return { type: 'string', demandOption: true, describe, ...(more as More) } as const;
}

/** The options that every command has. */
export const COMMON_OPTIONS = {
  json: { type: 'boolean', default: false, describe: 'Print the result as JSON', global: true },
  quiet: { type: 'boolean', default: false, alias: 'q', describe: 'Print only the result and errors', global: true },
  verbose: { type: 'boolean', default: false, alias: 'v', describe: 'Log every step', global: true },
} as const satisfies ArgumentSpecs;

/** What is given for arguments, by the names in their definitions: `dry-run` is `dryRun`. */
export type ValuesOf<Specs extends ArgumentSpecs> = {
  readonly [Name in keyof InferredOptionTypes<Specs> as CamelCase<Name & string>]: InferredOptionTypes<Specs>[Name];
};

type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

export const PROGRAM = 'model-rtc';

export interface Described {
  readonly describe: string;
  /** Command lines that begin with `$0`, each with what it does. */
  readonly examples: readonly (readonly [command: string, meaning: string])[];
}

export interface CommandDefinition<Positionals extends ArgumentSpecs, Options extends ArgumentSpecs> extends Described {
  /** Its name and positional arguments: `pull-model <ref>`. */
  readonly usage: string;
  /** Whether its group runs it when the user names no command. */
  readonly isDefault?: boolean | undefined;
  readonly positionals?: Positionals | undefined;
  readonly options?: Options | undefined;
  /** Whether the thread that reads into model files starts before all else, as it takes longer than a small import. */
  importsModels?(given: CommonOptions & ValuesOf<Positionals & Options>): boolean;
  /** A last paragraph of the help. */
  readonly epilogue?: string | undefined;
  run(context: Context, given: CommonOptions & ValuesOf<Positionals & Options>): Promise<void>;
}

/** A command, whatever its arguments are. */
export interface Command extends Omit<CommandDefinition<ArgumentSpecs, ArgumentSpecs>, 'run' | 'importsModels'> {
  importsModels?(given: never): boolean;
  run(context: Context, given: never): Promise<void>;
}

/** Commands under one name. */
export interface CommandGroup extends Described {
  readonly name: string;
  readonly commands: readonly (Command | CommandGroup)[];
}

/** Types a command, so that `run` gets its arguments typed. */
export function defineCommand<const P extends ArgumentSpecs, const O extends ArgumentSpecs>(
  definition: CommandDefinition<P, O>,
): Command {
  return definition as Command;
}

export function isGroup(command: Command | CommandGroup): command is CommandGroup {
  return 'commands' in command;
}

/** A command's name without its positional arguments. */
export function nameOf(command: Command | CommandGroup): string {
  return isGroup(command) ? command.name : command.usage.replace(/ .*/, '');
}
