import type { JobsLimits } from '@model-rtc/jobs';
import type { ConsentRule } from '@model-rtc/mesh';
import { ModelRtcError, withoutUndefined } from '@model-rtc/protocol';
import type { DataLimits } from '@model-rtc/registry';
import { type ConfigFile, openConfigFile } from './config-file.ts';
import {
  AGE,
  BUILT_IN,
  COUNT,
  choice,
  FAMILIES,
  RATE,
  type SettingSchema,
  SIZE,
  TIERS,
  type Unit,
} from './setting-kinds.ts';

/** What can be set for both agents of this machine. docs/settings.md is generated from it. */
export const SETTINGS = {
  'limit.up': {
    ...RATE,
    describe: 'The most that all transfers together may send per second, such as 20MB or 50Mbit',
  },
  'limit.down': { ...RATE, describe: 'The most that all transfers together may fetch per second' },
  'limit.by-size': {
    ...TIERS,
    describe: 'The most that one transfer of a model of a size or larger may move per second: 1GB:50MB,10GB:20MB',
  },
  'storage.cap': {
    ...SIZE,
    describe:
      'The most that the models of this machine may take; those without an alias or pin that were unused for longest make room',
    default: 'no limit',
  },
  'data-cache.size': {
    ...SIZE,
    describe: 'How much data of jobs a worker keeps; what was used longest ago goes first',
    default: '100GB',
  },
  'data-cache.session-size': {
    ...SIZE,
    describe: 'How much of that may be the data of one session',
    default: 'half of data-cache.size',
  },
  'data-cache.age': { ...AGE, describe: 'How long a worker keeps data of jobs that nobody uses', default: '30d' },
  'jobs.at-once': {
    ...COUNT,
    describe: 'How many jobs a worker runs at once, of all runners; each runner says how many of its own',
    default: '8',
  },
  'jobs.session-at-once': { ...COUNT, describe: 'How many of them may be of one session', default: '4' },
  'jobs.session-time': {
    ...AGE,
    describe: 'How long the jobs of one session may run within 24 hours, all together',
    default: 'no limit',
  },
  'jobs.session-output': {
    ...SIZE,
    describe: 'How much of the results of one session a worker keeps; the oldest go first',
    default: '256GiB',
  },
  'hub.architectures': {
    ...FAMILIES,
    describe: 'Families of models that import-model takes from a hub; --arch-any takes any',
  },
  'hub.pushes': {
    ...choice('auto', 'off'),
    describe:
      'Whether a worker fetches models that clients push from the hub in part; --from-hub says it for one start',
    default: 'off',
  },
  'mesh.mdns': {
    ...choice('auto', 'off'),
    describe: 'Whether members of a mesh find each other on the local network; --no-mdns forbids it for one start',
    default: 'auto',
  },
  'mesh.consent': {
    ...choice('ask', 'members'),
    describe:
      'Which nodes of a mesh this machine fetches models from: those to which somebody agreed here once, or all members',
    default: 'ask',
  },
} as const satisfies Readonly<Record<string, SettingSchema>>;

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

export interface Setting {
  readonly name: SettingName;
  readonly describe: string;
  /** As it was given; undefined when nothing is set. */
  readonly value: string | undefined;
  readonly unit: Unit;
  /** The value in that unit; undefined when nothing is set, or when it is a list or a word. */
  readonly amount: number | undefined;
  /** The value of a list, or the word; undefined when nothing is set. */
  readonly list?: readonly string[] | undefined;
}

/** The settings of this machine's agents, in `config.json` of the data folder. */
export class Settings {
  readonly #file: ConfigFile;

  private constructor(file: ConfigFile) {
    this.#file = file;
  }

  /** @param home - the data folder. @throws ModelRtcError `storage` when its config.json is damaged. */
  static async open(home: string): Promise<Settings> {
    return new Settings(await openConfigFile(home));
  }

  list(): Setting[] {
    return SETTING_NAMES.map((name) => this.get(name));
  }

  /** @throws ModelRtcError `bad_argument` when the file holds an invalid value. */
  get(name: SettingName): Setting {
    const { describe, unit, parse } = SETTINGS[name];
    const value = this.#stored(name);
    if (value === undefined) return { name, describe, value, unit, amount: undefined };
    try {
      const parsed = parse(value, name);
      const setting = { name, describe, value, unit };
      return typeof parsed === 'number'
        ? { ...setting, amount: parsed }
        : { ...setting, amount: undefined, list: parsed };
    } catch (error) {
      const sentence = `${ModelRtcError.from(error).message} The value is in ${this.#file.path}. Remove it: model-rtc settings unset ${name}.`;
      throw ModelRtcError.because(error, 'bad_argument', sentence);
    }
  }

  /** @throws ModelRtcError `bad_argument` for what is not a value of the setting. */
  set(name: SettingName, value: string): Setting {
    SETTINGS[name].parse(value, name);
    this.#write(name, value.trim());
    return this.get(name);
  }

  unset(name: SettingName): void {
    this.#write(name, undefined);
  }

  /** @throws ModelRtcError `bad_argument` when something else stands where an object with settings belongs */
  #stored(name: SettingName): string | undefined {
    const parts = ['settings', ...name.split('.')];
    let value: unknown = this.#file.store;
    for (const [index, part] of parts.entries()) {
      if (value === undefined) return undefined;
      if (!isObject(value)) {
        throw new ModelRtcError(
          'bad_argument',
          `"${parts.slice(0, index).join('.')}" in ${this.#file.path} is not an object, so its settings are ignored. Fix it: model-rtc settings unset ${name}.`,
        );
      }
      value = value[part];
    }
    return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
  }

  /** Replaces damaged groups of settings: a value cannot be stored in something that is not an object. */
  #write(name: SettingName, value: string | undefined): void {
    const [group, key] = name.split('.') as [string, string];
    const settings = this.#file.get('settings');
    const kept = isObject(settings) ? settings : {};
    const { [key]: _, ...others } = isObject(kept[group]) ? kept[group] : {};
    this.#file.set('settings', { ...kept, [group]: value === undefined ? others : { ...others, [key]: value } });
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A setting as a table shows it: `20MB (20 MB/s)`, or what applies when it is not set. */
export function settingText({ name, value, amount, list }: Setting): string {
  const { default: otherwise, format } = SETTINGS[name];
  if (list !== undefined) return list.join(', ');
  return value === undefined || amount === undefined ? otherwise : `${value} (${format(amount)})`;
}

/** How much data of jobs a worker keeps, and for how long, as far as it is set. */
export async function dataCacheLimits(home: string): Promise<Partial<DataLimits>> {
  const settings = await Settings.open(home);
  return withoutUndefined({
    maxBytes: settings.get('data-cache.size').amount,
    maxBytesPerOwner: settings.get('data-cache.session-size').amount,
    maxAgeMs: settings.get('data-cache.age').amount,
  });
}

/** What bounds the jobs of a worker, as far as it is set. */
export async function jobsLimits(home: string): Promise<Partial<JobsLimits>> {
  const settings = await Settings.open(home);
  return withoutUndefined({
    maxRunning: settings.get('jobs.at-once').amount,
    maxRunningPerOwner: settings.get('jobs.session-at-once').amount,
    maxRunMsPerOwnerAndDay: settings.get('jobs.session-time').amount,
    maxKeptOutputBytesPerOwner: settings.get('jobs.session-output').amount,
  });
}

/** The families of models that may be taken from a hub. @param builtIn - what applies when nothing is set */
export async function hubFamilies(home: string, builtIn: readonly string[]): Promise<readonly string[]> {
  const { list = [BUILT_IN] } = (await Settings.open(home)).get('hub.architectures');
  return list.flatMap((family) => (family === BUILT_IN ? builtIn : [family]));
}

/** Whether pushed models may be fetched from a hub in part. */
export async function fetchesPushesFromHub(home: string): Promise<boolean> {
  return (await Settings.open(home)).get('hub.pushes').list?.[0] === 'auto';
}

/** Whether members of a mesh are looked for on the local network. */
export async function usesMdns(home: string): Promise<boolean> {
  return (await Settings.open(home)).get('mesh.mdns').list?.[0] !== 'off';
}

/** Which members of a mesh models may be fetched from. */
export async function consentRule(home: string): Promise<ConsentRule> {
  return (await Settings.open(home)).get('mesh.consent').list?.[0] === 'members' ? 'members' : 'ask';
}
