import type { ModelEntry } from '@model-rtc/protocol';

/** A model that a line loads. */
export interface LoadedModel {
  readonly entry: ModelEntry;
  /** The file that stands for it, with its path on this machine; the folder where no file does. */
  readonly file: string;
  readonly folder: string;
  /** The paths of all files, inside the model. */
  readonly files: readonly string[];
}

/** Makes the line that loads a model. */
export type Snippet = (model: LoadedModel) => string;

export type Snippets = Readonly<Record<string, Snippet>>;

/** A Python string literal; JSON's strings are valid ones. */
export function pythonText(text: string): string {
  return JSON.stringify(text);
}
