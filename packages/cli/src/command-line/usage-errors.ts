import { ModelRtcError } from '@model-rtc/protocol';
import { type Command, type CommandGroup, isGroup, nameOf } from './types.ts';

/** What yargs says of arguments that it refuses. */
export class UsageError extends Error {}

/** What yargs tells of the known options, as far as it is needed here. */
interface KnownOptions {
  readonly array?: readonly string[] | undefined;
  readonly [kind: string]: unknown;
}

/** The kinds of options with one value. */
const KINDS = ['string', 'number', 'boolean'] as const;

/**
 * Refuses an option with one value that was given several times: yargs makes an array of them, which no command expects.
 *
 * @param argv - what was parsed, with the options' values by their names.
 * @throws ModelRtcError `bad_argument`
 */
export function assertGivenOnce(argv: Readonly<Record<string, unknown>>, known: KnownOptions): void {
  const single = KINDS.flatMap((kind) => (known[kind] as readonly string[] | undefined) ?? []);
  const choices = Object.keys((known.choices as object | undefined) ?? {});
  for (const name of [...single, ...choices]) {
    if (!Array.isArray(argv[name]) || known.array?.includes(name)) continue;
    throw new ModelRtcError('bad_argument', `Give ${name.length === 1 ? '-' : '--'}${name} once.`, {
      details: { name },
    });
  }
}

/**
 * What to tell of arguments that were refused, ending with the help that explains them; undefined for any other error.
 * Some complaints, such as of an option without its value, yargs throws as errors of its own.
 */
export function usageMessage(error: unknown, root: CommandGroup, args: readonly string[]): string | undefined {
  const isKnown =
    error instanceof UsageError ||
    (error instanceof ModelRtcError && error.code === 'bad_argument') ||
    (error instanceof Error && error.name === 'YError');
  if (!isKnown) return undefined;
  return `${plainSentence((error as Error).message)} See: ${[...commandPath(root, args), '--help'].join(' ')}`;
}

/** A complaint of yargs as one line, without the words of its trade. A guess ("Did you mean pull-model?") has its own line. */
function plainSentence(message: string): string {
  const text = message
    .replace(/^Not enough non-option arguments: got (\d+), need at least (\d+)/, missingArguments)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('. ')
    .replaceAll(':. ', ': ');
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

function missingArguments(_: string, got: string, needed: string): string {
  return `Missing argument${needed === '1' ? '' : 's'}: expected ${needed}, got ${got}`;
}

/** The words that name the command, or as much of it as there is. */
function commandPath(root: CommandGroup, args: readonly string[]): string[] {
  const path = [root.name];
  let at: Command | CommandGroup | undefined = root;
  for (const word of args) {
    if (!isGroup(at)) break;
    const next: Command | CommandGroup | undefined = at.commands.find((command) => nameOf(command) === word);
    if (next === undefined) break;
    path.push(word);
    at = next;
  }
  return path;
}
