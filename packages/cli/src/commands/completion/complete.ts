import { dataFolder } from '@model-rtc/registry';
import {
  type ArgumentSpec,
  type ArgumentSpecs,
  COMMON_OPTIONS,
  type Command,
  type CommandGroup,
  type Completes,
  isGroup,
  nameOf,
} from '../../command-line/types.ts';
import type { Runtime } from '../../console/runtime.ts';
import { loadCommands } from '../index.ts';
import { knownNames } from './known-names.ts';
import type { Candidate } from './release-names.ts';

/**
 * Answers a shell: a candidate a line, with what it is behind a tab (bash) or a colon (zsh); then `:files` or `:directories`
 * where the shell is to complete paths. Whatever goes wrong, nothing is printed: it would end up in a person's line.
 *
 * @param args - the shell, and the words after the program's name up to the cursor.
 */
export async function printCompletions([shell, ...words]: readonly string[], runtime: Runtime): Promise<void> {
  try {
    const home = dataFolder({ env: runtime.env, platform: runtime.platform, home: runtime.userHome });
    const commands = await loadCommands(words.slice(0, -1));
    const { candidates, paths } = await complete(commands, COMMON_OPTIONS, words, (kind, given) =>
      knownNames(kind, home, given),
    );
    const lines = candidates.map(({ value, describe }) =>
      shell === 'zsh' ? `${value.replaceAll(':', '\\:')}:${describe}` : `${value}\t${describe}`,
    );
    if (paths !== undefined) lines.push(paths === 'folders' ? ':directories' : ':files');
    runtime.stdout.write(lines.map((line) => `${line}\n`).join(''));
  } catch {
    // No completions.
  }
}

/** The completions of the word at the cursor. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  /** Paths that the shell adds by itself. */
  readonly paths?: 'files' | 'folders' | undefined;
}

/** @param given - the positional arguments before the word */
type KnownNames = (kind: Completes, given: readonly string[]) => Promise<readonly Candidate[]>;

type Names = (kind: Completes) => Promise<readonly Candidate[]>;

/** The state of the command line before the word at the cursor. */
interface Position {
  readonly command: Command | CommandGroup;
  /** Positional arguments that the command has so far. */
  readonly given: readonly string[];
  /** The option whose value the word is. */
  readonly option: ArgumentSpec | undefined;
  readonly usedOptions: ReadonlySet<string>;
  /** Whether `--` came: no more options. */
  readonly onlyPositionals: boolean;
}

/** The options that yargs adds by itself. */
const BUILT_IN: ArgumentSpecs = { help: { type: 'boolean', alias: 'h', describe: 'Show help' } };

/**
 * Completes a command line.
 *
 * @param words - the words after the program's name up to the cursor; the last one, which may be empty, is completed.
 */
export async function complete(
  root: CommandGroup,
  common: ArgumentSpecs,
  words: readonly string[],
  allNames: KnownNames,
): Promise<Completion> {
  const word = words.at(-1) ?? '';
  const at = positionOf(root, common, words.slice(0, -1));
  const names: Names = (kind) => allNames(kind, at.given);
  if (at.option !== undefined && !word.startsWith('-')) return await valuesOf(at.option, word, names);
  const [, name = '', value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
  if (value !== undefined) {
    const spec = findOption(optionsOf(at.command, common), name);
    const { candidates, paths } = spec === undefined ? NOTHING : await valuesOf(spec, value, names);
    return { candidates: candidates.map((one) => ({ ...one, value: `--${name}=${one.value}` })), paths };
  }
  if (word.startsWith('-') && !at.onlyPositionals) return optionNames(at, common, word);
  if (isGroup(at.command)) return startingWith(word, at.command.commands.map(commandCandidate));
  const positional = positionalAt(at.command, at.given.length);
  if (positional !== undefined) return await valuesOf(positional, word, names);
  return word === '' && !at.onlyPositionals ? optionNames(at, common, word) : NOTHING;
}

const NOTHING: Completion = { candidates: [] };

function positionOf(root: CommandGroup, common: ArgumentSpecs, words: readonly string[]): Position {
  let command: Command | CommandGroup = root;
  const given: string[] = [];
  let option: ArgumentSpec | undefined;
  let onlyPositionals = false;
  const usedOptions = new Set<string>();
  for (const word of words) {
    if (word === '--') {
      onlyPositionals = true;
      option = undefined;
    } else if (word.startsWith('-') && word !== '-' && !onlyPositionals) {
      const [name = '', value] = word.replace(/^--?/, '').split('=', 2);
      const spec = findOption(optionsOf(command, common), name);
      if (spec !== undefined && !isRepeatable(spec)) usedOptions.add(name);
      option = spec === undefined || spec.type === 'boolean' || value !== undefined ? undefined : spec;
    } else if (option !== undefined) {
      // An array option takes all words up to the next option, unless it says how many.
      option = option.array === true && option.nargs === undefined ? option : undefined;
    } else if (isGroup(command)) {
      const next: Command | CommandGroup | undefined = command.commands.find((one) => nameOf(one) === word);
      if (next !== undefined) command = next;
    } else given.push(word);
  }
  return { command, given, option, usedOptions, onlyPositionals };
}

/** The options of a command; those of a group are its default command's. */
function optionsOf(command: Command | CommandGroup, common: ArgumentSpecs): ArgumentSpecs {
  const own = isGroup(command)
    ? command.commands.find((inner) => !isGroup(inner) && inner.isDefault === true)
    : command;
  return { ...(own === undefined || isGroup(own) ? {} : own.options), ...common, ...BUILT_IN };
}

function findOption(options: ArgumentSpecs, name: string): ArgumentSpec | undefined {
  const found = Object.entries(options).find(([own, spec]) => own === name || aliasesOf(spec).includes(name));
  return found?.[1];
}

function aliasesOf({ alias = [] }: ArgumentSpec): readonly string[] {
  return [alias].flat();
}

function isRepeatable({ array, coerce }: ArgumentSpec): boolean {
  return array === true || coerce !== undefined;
}

function optionNames({ command, usedOptions }: Position, common: ArgumentSpecs, word: string): Completion {
  const candidates = Object.entries(optionsOf(command, common)).flatMap(([name, spec]) => {
    const names = [name, ...aliasesOf(spec)];
    if (names.some((one) => usedOptions.has(one) || usedOptions.has(`no-${one}`))) return [];
    // An option that is on by default can only be turned off.
    const shown = spec.type === 'boolean' && spec.default === true ? [`no-${name}`] : names;
    return shown.filter((one) => one.length > 1).map((one) => ({ value: `--${one}`, describe: spec.describe }));
  });
  return startingWith(word, candidates);
}

function commandCandidate(command: Command | CommandGroup): Candidate {
  return { value: nameOf(command), describe: command.describe };
}

/** The positional argument at a place; the last one may take all that follow. */
function positionalAt({ usage, positionals = {} }: Command, place: number): ArgumentSpec | undefined {
  const all = Object.values(positionals);
  return all[place] ?? (usage.endsWith('..>') || usage.endsWith('..]') ? all.at(-1) : undefined);
}

/** The values of an option or a positional argument. A reference may be a path, and a session may be in a file. */
async function valuesOf({ choices, completes }: ArgumentSpec, word: string, names: Names): Promise<Completion> {
  if (choices !== undefined) {
    return startingWith(
      word,
      choices.map((choice) => ({ value: String(choice), describe: '' })),
    );
  }
  if (completes === undefined) return NOTHING;
  if (completes === 'files' || completes === 'folders') return { candidates: [], paths: completes };
  if (completes === 'workers' && word.startsWith('@')) return { candidates: [], paths: 'files' };
  if (completes === 'models' && /^[./~]/.test(word)) return { candidates: [], paths: 'files' };
  const found = startingWith(word, await names(completes));
  // A word with a slash that no name begins with is a path.
  const isPath = completes === 'models' && word.includes('/') && found.candidates.length === 0;
  return isPath ? { candidates: [], paths: 'files' } : found;
}

function startingWith(word: string, all: readonly Candidate[]): Completion {
  return { candidates: all.filter(({ value }) => value.startsWith(word)) };
}
