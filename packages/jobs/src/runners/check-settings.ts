import { ModelRtcError, type Settings, type SettingValue } from '@model-rtc/protocol';
import { MAX_SETTING_CHARS } from '../limits.ts';
import { matchesWhole } from './pattern.ts';
import { startsArgument } from './placeholders.ts';
import type { RunnerSetting } from './setting-schema.ts';
import type { ArgTemplate, CheckedSettings } from './types.ts';

type Declarations = Readonly<Record<string, RunnerSetting>>;

/** The part of a runner that settings depend on. */
interface SettingsRunner {
  readonly name: string;
  readonly set?: Declarations | undefined;
  readonly args: readonly ArgTemplate[];
  readonly resume?: readonly ArgTemplate[] | undefined;
}

/**
 * What a job's settings are, by the declarations of its runner: texts are read as the declared type.
 * @throws ModelRtcError `bad_argument` for a setting that the runner does not have, or a value that it does not take
 */
export function checkSettings(runner: SettingsRunner, given: Settings): CheckedSettings {
  const { name, set: declared = {} } = runner;
  const args = [...runner.args, ...(runner.resume ?? [])];
  for (const key of Object.keys(given)) if (!Object.hasOwn(declared, key)) throw unknownSetting(key, declared, name);
  const values: Record<string, SettingValue> = {};
  const texts = new Map<string, string>();
  for (const [key, setting] of Object.entries(declared)) {
    const value = Object.hasOwn(given, key) ? given[key] : setting.default;
    if (value === undefined) continue;
    const read = readSetting(setting, value, startsArgument(args, key));
    if ('problem' in read) {
      throw new ModelRtcError(
        'bad_argument',
        `The setting ${key} of ${name} cannot be ${shown(value)}: ${read.problem}.`,
        {
          details: { setting: key, runner: name },
        },
      );
    }
    values[key] = read.value;
    const text = settingText(setting, read.value);
    if (text !== undefined) texts.set(key, text);
  }
  return { values, texts };
}

/** The first rule that a value breaks, or undefined. */
export function settingProblem(setting: RunnerSetting, value: SettingValue): string | undefined {
  const read = readSetting(setting, value, false);
  return 'problem' in read ? read.problem : undefined;
}

type Read = { readonly value: SettingValue } | { readonly problem: string };

function readSetting(setting: RunnerSetting, given: SettingValue, isStart: boolean): Read {
  const value = asType(setting.type, given);
  if (value === undefined) return { problem: `it must be ${TYPE_TEXTS[setting.type]}` };
  const { choices } = setting;
  // A choice is the owner's own word, and so it may look like anything.
  if (choices !== undefined) {
    const isChoice = choices.some((choice) => asType(setting.type, choice) === value);
    return isChoice ? { value } : { problem: `choose ${choices.join(', ')}` };
  }
  const problem = typeof value === 'string' ? textProblem(setting, value, isStart) : numberProblem(setting, value);
  return problem === undefined ? { value } : { problem };
}

const TYPE_TEXTS = {
  integer: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
} as const;

function asType(type: RunnerSetting['type'], value: SettingValue): SettingValue | undefined {
  if (type === 'string') return String(value);
  if (type === 'boolean') return typeof value === 'boolean' ? value : BOOLEANS.get(String(value).toLowerCase());
  const number =
    typeof value === 'string' && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  return type === 'number' || Number.isSafeInteger(number) ? number : undefined;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['false', false],
  ['no', false],
]);

function numberProblem({ min, max }: RunnerSetting, value: number | boolean): string | undefined {
  if (typeof value === 'boolean') return undefined;
  if (min !== undefined && value < min) return `it must be at least ${min}`;
  if (max !== undefined && value > max) return `it must be at most ${max}`;
  return undefined;
}

function textProblem(
  { min, max = MAX_SETTING_CHARS, pattern }: RunnerSetting,
  value: string,
  isStart: boolean,
): string | undefined {
  if (value.includes('\0')) return 'it has a NUL character';
  if (min !== undefined && value.length < min) return `it must have at least ${min} characters`;
  if (value.length > max) return `it must have at most ${max} characters`;
  // Programs take an argument that starts so for an option, whatever a pattern allows.
  if (value.startsWith('-') && (isStart || pattern === undefined)) return 'it must not start with "-"';
  if (pattern !== undefined) return matchesWhole(pattern, value) ? undefined : `it must match ${pattern}`;
  return plainTextProblem(value);
}

/** What is refused where the owner says nothing: what could be a path out of the job's folder, or break a line. */
function plainTextProblem(value: string): string | undefined {
  if (/\p{Cc}|\p{Surrogate}/u.test(value)) return 'it has a control character';
  if (/^[/\\~]|^[A-Za-z]:[/\\]/.test(value)) return 'it must not be an absolute path';
  if (/(^|[/\\])\.\.([/\\]|$)/.test(value)) return 'it must not have ".." in it';
  return undefined;
}

function settingText({ flag }: RunnerSetting, value: SettingValue): string | undefined {
  if (flag !== undefined && typeof value === 'boolean') return value ? flag : undefined;
  return String(value);
}

function unknownSetting(key: string, declared: Declarations, name: string): ModelRtcError {
  const known = Object.keys(declared);
  const advice = known.length === 0 ? `${name} has no settings.` : `${name} has ${known.join(', ')}.`;
  return new ModelRtcError('bad_argument', `There is no setting ${JSON.stringify(key)}. ${advice}`, {
    details: { setting: key, runner: name },
  });
}

/** Short, and without what would break a line. */
function shown(value: SettingValue): string {
  return typeof value === 'string'
    ? JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value)
    : `${value}`;
}
