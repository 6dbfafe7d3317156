import { ModelRtcError } from '@model-rtc/protocol';
import { type Command, type CommandGroup, isGroup, nameOf } from './types.ts';

/** Arguments that yargs refuses. */
export class UsageError extends Error {}

/** The part of yargs's description of the known options that is needed here. */
interface KnownOptions {
  readonly array?: readonly string[] | undefined;
  readonly [kind: string]: unknown;
}

/** The kinds of options with one value. */
const KINDS = ['string', 'number', 'boolean'] as const;

/**
 * Refuses an option with one value that was given several times: yargs makes an array of them, and no command expects one.
 *
 * @param argv - what was parsed, with the options' values by their names.
 * @throws ModelRtcError `bad_argument`
 */
export function assertGivenOnce(argv: Readonly<Record<string, unknown>>, known: KnownOptions): void {
  const single = KINDS.flatMap((kind) => (known[kind] as readonly string[] | undefined) ?? []);
  const choices = Object.keys((known.choices as object | undefined) ?? {});
  for (const name of [...single, ...choices]) {
    if (!Array.isArray(argv[name]) || known.array?.includes(name)) continue;
    throw new ModelRtcError('bad_argument', `Pass ${name.length === 1 ? '-' : '--'}${name} only once.`, {
      details: { name },
    });
  }
}

/** Refuses a number option whose value is not a number. @throws ModelRtcError `bad_argument` */
export function assertNumbers(argv: Readonly<Record<string, unknown>>, known: KnownOptions): void {
  for (const name of (known.number as readonly string[] | undefined) ?? []) {
    if (!Number.isNaN(argv[name])) continue;
    throw new ModelRtcError('bad_argument', `--${name} takes a number.`, { details: { name } });
  }
}

/**
 * The message for arguments that were refused, ending with the help that explains them; undefined for any other error.
 * yargs throws some complaints, such as that an option has no value, as errors of its own.
 */
export function usageMessage(error: unknown, root: CommandGroup, args: readonly string[]): string | undefined {
  const isKnown =
    error instanceof UsageError ||
    (error instanceof ModelRtcError && error.code === 'bad_argument') ||
    (error instanceof Error && error.name === 'YError');
  if (!isKnown) return undefined;
  const at = locate(root, args);
  const text = plainText((error as Error).message, at);
  return `${text}${/[.?!]$/.test(text) ? '' : '.'} See: ${[...at.path, '--help'].join(' ')}`;
}

/** How far the arguments name a command. */
interface Location {
  readonly command: Command | CommandGroup;
  /** The words that name it. */
  readonly path: readonly string[];
  /** The first word that names no command of a group. */
  readonly unknown: string | undefined;
  /** A word that begins with a dash and is longer than an option of one letter: perhaps it was meant as a value. */
  readonly dashed: string | undefined;
}

function locate(root: CommandGroup, args: readonly string[]): Location {
  const path = [root.name];
  let command: Command | CommandGroup = root;
  const dashed = args.find((arg) => /^-[A-Za-z0-9_]{2,}/.test(arg) && !/^-[hqvy]+$/.test(arg));
  for (const word of args.filter((arg) => !arg.startsWith('-'))) {
    if (!isGroup(command)) break;
    const next: Command | CommandGroup | undefined = command.commands.find((one) => nameOf(one) === word);
    if (next === undefined) return { command, path, unknown: word, dashed };
    path.push(word);
    command = next;
  }
  return { command, path, unknown: undefined, dashed };
}

/** Messages of yargs that are in its own jargon, and what to say instead. */
const PLAIN: readonly (readonly [complaint: RegExp, plain: (parts: readonly string[], at: Location) => string])[] = [
  [/^Not enough non-option arguments: got (\d+), need at least (\d+)/, ([, got], at) => missingText(Number(got), at)],
  [
    /^Unknown commands?: (.*)/,
    ([whole = '', words = ''], { command }) =>
      isGroup(command) ? `${whole}${likeCommands(command, words)}` : `Unexpected argument: ${words}`,
  ],
  [/^Did you mean (.*)/, ([whole], { unknown }) => `Unknown command: ${unknown}. ${whole}`],
  [
    /^Unknown arguments?: (.*)/,
    ([, names = '']) => `Unknown option: ${withoutCamelCase(names.split(', ')).join(', ')}`,
  ],
  [
    /^Missing required arguments?: (.*)/,
    ([, names = '']) => `Missing option: ${names.split(', ').map(flag).join(', ')}`,
  ],
  [/^Not enough arguments following: (.*)/, ([, name = '']) => `${flag(name)} needs a value`],
  [
    /^Arguments (.*) and (.*) are mutually exclusive/,
    ([, a = '', b = '']) => `Pass only one of ${flag(a)} and ${flag(b)}`,
  ],
];

/** Names the arguments that are missing, and says why one that begins with a dash is not among those that are there. */
function missingText(got: number, { command, dashed }: Location): string {
  const names = isGroup(command) ? [] : [...command.usage.matchAll(/<([^>]+)>/g)].map(([, name = '']) => name);
  const missing = names.slice(got).map((name) => name.toUpperCase());
  const text = `Missing argument${missing.length === 1 ? '' : 's'}: ${missing.join(' and ')}`;
  if (dashed === undefined) return text;
  const rule = missing.includes('ALIAS') ? ' An alias starts and ends with a letter or digit.' : '';
  return `${text}. "${dashed}" begins with a dash, so it is taken for options.${rule}`;
}

/** Commands that begin with what was typed; yargs suggests only those with a typing mistake. */
function likeCommands({ commands }: CommandGroup, typed: string): string {
  const names = commands.map(nameOf).filter((name) => name.startsWith(typed));
  return names.length === 0 ? '' : `. Did you mean ${names.join(' or ')}?`;
}

const INVALID_VALUE = /^ *Argument: (.*), Given: (.*), Choices: (.*)$/gm;

function plainText(message: string, at: Location): string {
  const invalid = [...message.matchAll(INVALID_VALUE)].map(([, name = '', given, choices]) => {
    const isPositional = !isGroup(at.command) && Object.hasOwn(at.command.positionals ?? {}, name);
    return `${isPositional ? name.toUpperCase() : flag(name)} cannot be ${given}. Choose one of ${choices}`;
  });
  if (invalid.length > 0) return invalid.join('. ');
  for (const [complaint, plain] of PLAIN) {
    const found = complaint.exec(message);
    if (found !== null) return plain(found, at);
  }
  return message.replaceAll(/\s*\n\s*/g, '. ');
}

function flag(name: string): string {
  return `${name.length === 1 ? '-' : '--'}${name}`;
}

/** yargs names an unknown option once more as it would be called in a program: `dry-rn`, `dryRn`. */
function withoutCamelCase(names: readonly string[]): string[] {
  const repeated = new Set(
    names
      .filter((name) => name.includes('-'))
      .map((name) => name.replaceAll(/-+(.)/g, (_, letter: string) => letter.toUpperCase())),
  );
  return names.filter((name) => !repeated.has(name)).map(flag);
}
