import type { ProgressEvents, SessionToken } from '@model-rtc/protocol';
import type { ModelManager } from '../model-manager.ts';

/** An option or a positional argument, in the terms that yargs, commander and model-rtc have in common. */
export interface ModelsArgument {
  readonly type: 'string' | 'boolean' | 'number';
  readonly describe: string;
  readonly default?: boolean | undefined;
  /** One letter. */
  readonly alias?: string | undefined;
  /** The only values that it takes. */
  readonly choices?: readonly string[] | undefined;
  /** Whether it may be given several times. */
  readonly isRepeated?: boolean | undefined;
  /** Always there; positional arguments only. */
  readonly demandOption?: boolean | undefined;
  /** The environment variable that is used when the option is not given. */
  readonly env?: string | undefined;
  /** What a shell completes it with, where the program completes anything. */
  readonly completes?: ModelsCompletes | undefined;
}

/** `releases` are models of registries, as GROUP/MODEL: installed ones, or those that a registry listed as well. */
export type ModelsCompletes =
  | 'models'
  | 'workers'
  | 'files'
  | 'folders'
  | 'releases'
  | 'listed-releases'
  | 'release-versions'
  | 'listed-release-versions';

export type ModelsArguments = Readonly<Record<string, ModelsArgument>>;

/** A command, whatever its arguments are. */
export interface ModelsCommand {
  /** Its name and positional arguments: `info <model> <version>`. */
  readonly usage: string;
  readonly describe: string;
  readonly positionals: ModelsArguments;
  readonly options: ModelsArguments;
  /** Command lines that begin with `$0`, each with what it does. */
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  run(context: ModelsContext, given: never): Promise<void>;
}

type ValueOf<Spec extends ModelsArgument> = Spec extends { isRepeated: true }
  ? Iterable<string> | undefined
  : Spec['type'] extends 'boolean'
    ? boolean
    : (Spec['type'] extends 'number' ? number : string) | (Spec extends { demandOption: true } ? never : undefined);

/** By their names in code: `model-version` is `modelVersion`. */
type ValuesOf<Specs extends ModelsArguments> = {
  readonly [Name in keyof Specs as CamelCase<Name & string>]: ValueOf<Specs[Name]>;
};

type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

interface Definition<P extends ModelsArguments, O extends ModelsArguments> extends Omit<ModelsCommand, 'run'> {
  readonly positionals: P;
  readonly options: O;
  run(context: ModelsContext, given: ValuesOf<P & O>): Promise<void>;
}

/** Types a command, so that `run` gets its arguments typed. */
export function defineModelsCommand<const P extends ModelsArguments, const O extends ModelsArguments>(
  definition: Definition<P, O>,
): ModelsCommand {
  return definition as ModelsCommand;
}

/** Where a command may draw. */
export interface ConsoleStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** What a command runs with: the program that it is mounted in. */
export interface ModelsContext {
  /** How a person calls these commands: `mytool models`. */
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Progress events for programs, with --json. */
  readonly events: ProgressEvents | undefined;
  /** Standard error, for what is no result. */
  readonly stderr: ConsoleStream;
  readonly signal: AbortSignal;
  /**
   * @param registryUrl - as it was given; else the program's own.
   * @param trustKeys - publishers' keys as they were given; else those of MODEL_RTC_TRUST_KEY.
   */
  manager(registryUrl: string | undefined, trustKeys?: Iterable<string> | undefined): Promise<ModelManager>;
  /** Prints the result: one line of JSON with `--json`, which is an event after progress events; else the text. */
  result(data: object, text: string): void;
  /** Asks yes or no. @throws ModelRtcError `bad_argument` naming `--yes` when nobody can be asked */
  confirm(question: string): Promise<boolean>;
  /** The sessions that a person named. */
  sessions(texts: readonly string[]): Promise<readonly (string | SessionToken)[]>;
}
