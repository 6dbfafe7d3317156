import type { AgentLimits } from '@model-rtc/client';
import { ModelRtcError } from '@model-rtc/protocol';
import { type ConfigFile, openConfigFile } from './config-file.ts';
import { formatRate } from './format.ts';
import { parseRate, RATE_RANGE } from './quantities.ts';

interface SettingSchema {
  readonly describe: string;
  readonly type: string;
  readonly range: string;
  /** What applies when it is not set. */
  readonly default: string;
  /** @throws ModelRtcError `bad_argument` for what is not a value of the setting */
  parse(text: string, name: string): number;
}

const RATE = { type: 'rate, such as `20MB` or `50Mbit`', range: RATE_RANGE, default: 'no limit', parse: parseRate };

/** What can be set for both agents of this machine. docs/settings.md is generated from it. */
export const SETTINGS = {
  'limit.up': {
    ...RATE,
    describe: 'The most that all transfers together may send per second, such as 20MB or 50Mbit',
  },
  'limit.down': { ...RATE, describe: 'The most that all transfers together may fetch per second' },
} as const satisfies Readonly<Record<string, SettingSchema>>;

export type SettingName = keyof typeof SETTINGS;
const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

export interface Setting {
  readonly name: SettingName;
  readonly describe: string;
  /** As it was given; undefined when nothing is set. */
  readonly value: string | undefined;
  /** Bytes a second. */
  readonly bytesPerSecond: number | undefined;
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
    const { describe, parse } = SETTINGS[name];
    const value = this.#stored(name);
    if (value === undefined) return { name, describe, value, bytesPerSecond: undefined };
    try {
      return { name, describe, value, bytesPerSecond: parse(value, name) };
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
          `"${parts.slice(0, index).join('.')}" in ${this.#file.path} is not an object, so its limits are ignored. Fix it: model-rtc settings unset ${name}.`,
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

/** A setting as a table shows it: `20MB (20 MB/s)`. */
export function settingText({ value, bytesPerSecond }: Setting): string {
  return value === undefined || bytesPerSecond === undefined ? 'no limit' : `${value} (${formatRate(bytesPerSecond)})`;
}

/** The limits that are set for all transfers of an agent together. */
export async function agentLimits(home: string): Promise<AgentLimits> {
  const settings = await Settings.open(home);
  const up = settings.get('limit.up').bytesPerSecond;
  const down = settings.get('limit.down').bytesPerSecond;
  if (up === undefined && down === undefined) return {};
  const { createRateLimiter } = await import('@model-rtc/transfer');
  const paceOf = (bytesPerSecond: number | undefined) =>
    bytesPerSecond === undefined ? undefined : createRateLimiter({ bytesPerSecond });
  return { up: paceOf(up), down: paceOf(down) };
}
