import { ModelRtcError } from '@model-rtc/protocol';
import type { ModelFile } from '../layouts/types.ts';
import { type Document, isObject } from './scalars.ts';
import { yamlNestingBound } from './yaml-nesting.ts';

/** Configurations take some kilobytes; the largest, with long label maps, some hundred. */
const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;

/** A few anchors for repeated lists are fine, but a few lines of nested ones can expand to gigabytes. */
const MAX_ALIASES = 100;
/** Levels of a configuration; real ones have less than 20, with up to 4 columns each. */
const MAX_YAML_NESTING = 256;

/** The last of equal keys counts, as in JSON: comparing each key with all others would take quadratic time. */
const YAML_OPTIONS = { schema: 'core', merge: false, uniqueKeys: false, logLevel: 'silent' } as const;

/** The beginning of a text file, up to `maxBytes`. Throws what the file's `readStart` throws. */
export async function readText(file: ModelFile, maxBytes: number): Promise<string> {
  return new TextDecoder().decode(await file.readStart(maxBytes));
}

/**
 * A JSON or YAML file as an object.
 * @throws ModelRtcError `invalid_model` when it is too large, broken or not an object.
 */
export async function readDocument(file: ModelFile): Promise<Document> {
  if (file.size > MAX_DOCUMENT_BYTES) throw unreadable(file, `it is larger than ${MAX_DOCUMENT_BYTES} bytes`);
  const text = await readText(file, MAX_DOCUMENT_BYTES);
  try {
    const value = file.path.endsWith('.json') ? await parseLooseJson(text) : await parseYaml(text);
    if (isObject(value)) return value;
  } catch (cause) {
    throw unreadable(file, firstLine(cause), cause);
  }
  throw unreadable(file, 'it does not hold an object');
}

/**
 * The value of a YAML text: plain data, with limits on nesting and aliases; tags are not interpreted.
 * @throws ModelRtcError `invalid_model` when it is nested too deeply; the parser's error when it is broken.
 */
export async function parseYaml(text: string): Promise<unknown> {
  if (yamlNestingBound(text) > MAX_YAML_NESTING) throw new ModelRtcError('invalid_model', 'it is nested too deeply');
  const { parseDocument } = await import('./yaml.ts');
  const document = parseDocument(text, YAML_OPTIONS);
  const [error] = document.errors;
  if (error !== undefined) throw error;
  return document.toJS({ maxAliasCount: MAX_ALIASES });
}

/** JSON, or what Python calls JSON: with `NaN` and `Infinity`, which YAML reads as texts. */
async function parseLooseJson(text: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (/\b(NaN|Infinity)\b/.test(text)) return await parseYaml(text);
    throw error;
  }
}

function firstLine(error: unknown): string {
  const text = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
  return text.split('\n')[0]?.slice(0, 200) ?? '';
}

function unreadable(file: ModelFile, why: string, cause?: unknown): ModelRtcError {
  return new ModelRtcError(
    'invalid_model',
    `Cannot understand ${file.location}: ${why}. Fix it, or pass --model-type.`,
    { cause },
  );
}
