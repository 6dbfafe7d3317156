import { ModelRtcError } from '@model-rtc/protocol';
import type Conf from 'conf';
import { formatRate } from './format.ts';
import { parseRate } from './parse-rate.ts';

/** What can be set for both agents of this machine, and how each value is read from a person's words. */
const SETTINGS = {
  'limit.up': { describe: 'What all transfers together may send, such as 20MB or 50Mbit', parse: parseRate },
  'limit.down': { describe: 'What all transfers together may fetch', parse: parseRate },
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
        `The settings ${home}/config.json cannot be read. Mend the file, or move it away.`,
      );
    }
  }

  list(): Setting[] {
    return SETTING_NAMES.map((name) => this.get(name));
  }

  /** @throws ModelRtcError `bad_argument` when someone wrote nonsense into the file. */
  get(name: SettingName): Setting {
    const { describe, parse } = SETTINGS[name];
    const stored = this.#conf.get(`settings.${name}`);
    const value = stored === undefined ? undefined : String(stored);
    return { name, describe, value, bytesPerSecond: value === undefined ? undefined : parse(value, name) };
  }

  /** @throws ModelRtcError `bad_argument` for what is no value of the setting. */
  set(name: SettingName, value: string): Setting {
    SETTINGS[name].parse(value, name);
    this.#conf.set(`settings.${name}`, value.trim());
    return this.get(name);
  }

  unset(name: SettingName): void {
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
