import { ModelRtcError } from '@model-rtc/protocol';
import type { ArgTemplate, PlaceholderValues } from './types.ts';

/** Words in braces. Other braces, as in JSON, are text. */
const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9_.-]*)\}/g;
const SETTING = /^set\.(.+)$/;

/** An argument with one of these is repeated, once for each of what it stands for. */
const LISTS = ['models', 'inputs'] as const;
type ListName = (typeof LISTS)[number];
const SINGLE = ['model', 'checkpoint', 'config', 'input', 'output'] as const;
const WORDS: readonly string[] = [...LISTS, ...SINGLE];

/** `{output}/` makes the folder, so that a program can write into it at once. */
export function writesIntoFolder(args: readonly ArgTemplate[]): boolean {
  return args.flat().some((arg) => arg.includes('{output}/'));
}

/** Whether an argument of these names the placeholder. */
export function hasPlaceholder(args: readonly ArgTemplate[], name: string): boolean {
  return args.flat().some((arg) => namesIn(arg).includes(name));
}

/** Whether a setting's value begins an argument, where programs take a leading `-` for an option. */
export function startsArgument(args: readonly ArgTemplate[], key: string): boolean {
  return args.flat().some((arg) => arg.startsWith(`{set.${key}}`));
}

/**
 * The first rule that a runner's arguments break, as a sentence.
 * @param settings the keys that it declares
 * @param field what the arguments are called
 */
export function placeholderProblem(
  args: readonly ArgTemplate[],
  settings: readonly string[],
  field: string,
): string | undefined {
  const [program] = args;
  if (typeof program !== 'string' || program === '') return `${field} must start with the program's name or path`;
  if (namesIn(program).length > 0) return 'the program itself cannot be a placeholder: clients would choose it';
  for (const arg of args.flat()) {
    const problem = argProblem(arg, settings);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function argProblem(arg: string, settings: readonly string[]): string | undefined {
  const names = namesIn(arg);
  const unknown = names.find((name) => !WORDS.includes(name) && !settings.includes(SETTING.exec(name)?.[1] ?? ''));
  if (unknown !== undefined) {
    const known = [...WORDS, ...settings.map((key) => `set.${key}`)].map((name) => `{${name}}`);
    return `{${unknown}} is no placeholder. Use ${known.join(', ')}`;
  }
  if (names.filter(isList).length > 1) return `${JSON.stringify(arg)} has two lists; put them into two arguments`;
  return undefined;
}

/**
 * A runner's arguments with what their placeholders stand for. Each is replaced once, within its own argument: what comes in
 * is never looked at again.
 *
 * - An argument with `{models}` or `{inputs}` comes once for each model or input.
 * - An argument with a setting that has no value is left out, and so is a group with such an argument.
 *
 * @throws ModelRtcError `bad_argument` when the job has no model, input or checkpoint that an argument needs
 */
export function fillArgs(args: readonly ArgTemplate[], values: PlaceholderValues): string[] {
  return args.flatMap((arg) => {
    const group = typeof arg === 'string' ? [arg] : arg;
    const settings = group.flatMap(namesIn).flatMap((name) => SETTING.exec(name)?.[1] ?? []);
    if (settings.some((key) => !values.settings.has(key))) return [];
    return group.flatMap((one) => fillArg(one, values));
  });
}

function fillArg(arg: string, values: PlaceholderValues): string[] {
  const list = namesIn(arg).find(isList);
  if (list === undefined) return [fill(arg, (name) => placeholderText(name, values))];
  return values[list].map((item) => fill(arg, (name) => (name === list ? item : placeholderText(name, values))));
}

function fill(arg: string, placeholderText: (name: string) => string): string {
  return arg.replaceAll(PLACEHOLDER, (_, name: string) => placeholderText(name));
}

function placeholderText(name: string, values: PlaceholderValues): string {
  const key = SETTING.exec(name)?.[1];
  if (key !== undefined) return values.settings.get(key) ?? '';
  const value = singleText(name, values);
  if (value !== undefined) return value;
  const what = NEEDED[name] ?? name;
  throw new ModelRtcError('bad_argument', `The runner needs ${what}, and this job has none. Choose another runner.`);
}

function singleText(name: string, { models, inputs, ...values }: PlaceholderValues): string | undefined {
  if (name === 'model') return models[0];
  if (name === 'input') return inputs[0];
  return values[name as 'checkpoint' | 'config' | 'output'];
}

const NEEDED: Readonly<Record<string, string>> = {
  model: 'a model',
  input: 'data',
  checkpoint: 'a model with a checkpoint',
  config: 'a model with a configuration file',
};

function namesIn(arg: string): string[] {
  return [...arg.matchAll(PLACEHOLDER)].map(([, name]) => name as string);
}

function isList(name: string): name is ListName {
  return (LISTS as readonly string[]).includes(name);
}
