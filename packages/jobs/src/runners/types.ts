import type { SettingValue } from '@model-rtc/protocol';

/** One argument of a runner with its placeholders, or a group that is left out when a setting in it has no value. */
export type ArgTemplate = string | readonly string[];

/** What placeholders stand for. All paths are absolute. */
export interface PlaceholderValues {
  /** The models' folders, in the order of the request. */
  readonly models: readonly string[];
  /** The first model's main file; undefined when it has none. */
  readonly checkpoint: string | undefined;
  /** The first model's configuration, if it has one. */
  readonly config: string | undefined;
  readonly inputs: readonly string[];
  readonly output: string;
  /** As they stand in an argument; a setting without a value is not in it. */
  readonly settings: ReadonlyMap<string, string>;
}

/** The settings of a job: what the client set, and the defaults of the others. */
export interface CheckedSettings {
  readonly values: Readonly<Record<string, SettingValue>>;
  /** What their placeholders stand for. */
  readonly texts: ReadonlyMap<string, string>;
}
