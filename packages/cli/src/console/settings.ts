import type { AgentLimits } from '@model-rtc/client';
import { ModelRtcError } from '@model-rtc/protocol';
import type Conf from 'conf';
import { formatRate } from './format.ts';
import { parseRate } from './quantities.ts';

/** What can be set for both agents of this machine, and how each value is read from a person's words. */
const SETTINGS = {
  'limit.up': {
    describe: 'The most that all transfers together may send per second, such as 20MB or 50Mbit',
    parse: parseRate,
  },
  'limit.down': { describe: 'The most that all transfers together may fetch per second', parse: parseRate },
} as const;

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
  readonly #conf: Conf<Record<string, unknown>>;

  private constructor(conf: Conf<Record<string, unknown>>) {
    this.#conf = conf;
  }

  /** @param home - the data folder. @throws ModelRtcError `storage` when its config.json is damaged. */
  static async open(home: string): Promise<Settings> {
    // Loaded here, since it takes longer to load than most commands take to run, and few of them need it.
    const { default: Conf } = await import('conf');
    try {
      return new Settings(new Conf({ cwd: home, configName: 'config', configFileMode: 0o600 }));
    } catch (error) {
      throw ModelRtcError.because(
        withoutText(error),
        'storage',
        `The settings ${home}/config.json cannot be read. Fix the file, or move it away.`,
      );
    }
  }

  list(): Setting[] {
    return SETTING_NAMES.map((name) => this.get(name));
  }

  /** @throws ModelRtcError `bad_argument` when someone wrote nonsense into the file. */
  get(name: SettingName): Setting {
    const { describe, parse } = SETTINGS[name];
    const value = this.#stored(name);
    if (value === undefined) return { name, describe, value, bytesPerSecond: undefined };
    try {
      return { name, describe, value, bytesPerSecond: parse(value, name) };
    } catch (error) {
      const sentence = `${ModelRtcError.from(error).message} The value is in ${this.#conf.path}. Remove it: model-rtc settings unset ${name}.`;
      throw ModelRtcError.because(error, 'bad_argument', sentence);
    }
  }

  /** @throws ModelRtcError `bad_argument` when what is to hold the settings of this kind is no object */
  #stored(name: SettingName): string | undefined {
    const parts = ['settings', ...name.split('.')];
    let value: unknown = this.#conf.store;
    for (const [index, part] of parts.entries()) {
      if (value === undefined) return undefined;
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new ModelRtcError(
          'bad_argument',
          `"${parts.slice(0, index).join('.')}" in ${this.#conf.path} is not an object, so its limits are ignored. Fix it: model-rtc settings unset ${name}.`,
        );
      }
      value = (value as Record<string, unknown>)[part];
    }
    if (value === undefined) return undefined;
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  /** Takes away what is no object and stands where one belongs: nothing could be set or unset beside it. */
  #mend(name: SettingName): void {
    const parts = ['settings', ...name.split('.').slice(0, -1)];
    for (let length = 1; length <= parts.length; length++) {
      const path = parts.slice(0, length).join('.');
      const value: unknown = this.#conf.get(path);
      if (value === undefined) return;
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) continue;
      this.#conf.delete(path);
      return;
    }
  }

  /** @throws ModelRtcError `bad_argument` for what is no value of the setting. */
  set(name: SettingName, value: string): Setting {
    SETTINGS[name].parse(value, name);
    this.#mend(name);
    this.#conf.set(`settings.${name}`, value.trim());
    return this.get(name);
  }

  unset(name: SettingName): void {
    this.#mend(name);
    this.#conf.delete(`settings.${name}`);
  }
}

/** A setting as a table shows it: `20MB (20 MB/s)`. */
export function settingText({ value, bytesPerSecond }: Setting): string {
  return value === undefined || bytesPerSecond === undefined ? 'no limit' : `${value} (${formatRate(bytesPerSecond)})`;
}

/** A SyntaxError quotes the file, which holds sessions as well. */
function withoutText(error: unknown): unknown {
  return (error as { name?: unknown }).name === 'SyntaxError' ? new SyntaxError('The file is not JSON.') : error;
}

/** The settings' limits on all transfers of one agent together. */
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
