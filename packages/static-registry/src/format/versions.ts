import { MAX_NAME_CHARS } from '../limits.ts';

/** A version of a model, as a static registry calls it. */
export interface ModelVersion {
  readonly group: string;
  readonly model: string;
  readonly version: string;
}

/** How a version is written in one word: `fast-whisper/tiny@fp16`. */
export function versionText({ group, model, version }: ModelVersion): string {
  return `${group}/${model}@${version}`;
}

/** The rule that a name breaks with which a model is published, as the end of a sentence; undefined for a good one. */
export function publishedNameProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.length > MAX_NAME_CHARS) return `it has more than ${MAX_NAME_CHARS} characters`;
  if (!/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(name)) {
    return 'it begins with a letter or digit, and goes on with letters, digits, ".", "_", "+" and "-"';
  }
  return undefined;
}

/** Whether a name that another tool published can be shown and asked for: any text without control characters. */
export function isReadableName(name: string): boolean {
  return (
    name !== '' &&
    name.length <= MAX_NAME_CHARS &&
    !/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(name)
  );
}

/** What a person may mean by one word, the likeliest first: names may have `/` and `@` in them. */
export function readings(
  text: string,
): { readonly group: string; readonly model: string; readonly version: string | undefined }[] {
  const found = [];
  for (let at = text.lastIndexOf('@'); at > 0; at = text.lastIndexOf('@', at - 1)) {
    const version = text.slice(at + 1);
    if (version !== '') found.push(...splits(text.slice(0, at)).map((names) => ({ ...names, version })));
  }
  return [...found, ...splits(text).map((names) => ({ ...names, version: undefined }))];
}

function splits(text: string): { readonly group: string; readonly model: string }[] {
  const found = [];
  for (let at = text.indexOf('/'); at !== -1; at = text.indexOf('/', at + 1)) {
    const [group, model] = [text.slice(0, at), text.slice(at + 1)];
    if (group !== '' && model !== '') found.push({ group, model });
  }
  return found;
}
