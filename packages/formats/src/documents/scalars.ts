import type { Scalar } from '@model-rtc/protocol';

export type Scalars = Record<string, Scalar>;

/** A parsed configuration that nobody has checked. */
export type Document = Readonly<Record<string, unknown>>;

const MAX_TEXT = 4096;
const MAX_KEY = 256;
/** Scalars of one kind in one entry: a hostile configuration must not bloat the index of all models. */
const MAX_SCALARS = 64;

export function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of keys; undefined when a key on the way is missing. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) {
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

/** A text that an entry can hold; undefined for an empty text and for anything else. */
export function toText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim().slice(0, MAX_TEXT);
  return text === '' ? undefined : text;
}

/** A value that a table can show; undefined for objects, lists and numbers that JSON does not have. */
function toScalar(value: unknown): Scalar | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'boolean') return value;
  return toText(value);
}

/** The pairs whose values an entry can hold. */
export function toScalars(pairs: Iterable<readonly [string, unknown]>): Scalars {
  const scalars: [string, Scalar][] = [];
  for (const [key, value] of pairs) {
    const scalar = toScalar(value);
    if (scalar === undefined || key === '' || key.length > MAX_KEY) continue;
    scalars.push([key, scalar]);
    if (scalars.length === MAX_SCALARS) break;
  }
  return Object.fromEntries(scalars);
}

/** Joins two sources of the same facts; where both have a value, the first one counts. */
export function mergeScalars(first: Scalars, second: Scalars): Scalars {
  const more = Object.entries(second).filter(([key]) => !Object.hasOwn(first, key));
  return toScalars([...Object.entries(first), ...more]);
}

/** The scalars of an object under `<prefix><key>`. */
export function prefixed(prefix: string, value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value).map(([key, item]) => [`${prefix}${key}`, item]) : [];
}

/** The first key whose value is not null: SLEAP's way to mark one of several choices. */
export function chosenKey(value: unknown): string | undefined {
  return isObject(value)
    ? Object.keys(value).find((key) => value[key] !== null && value[key] !== undefined)
    : undefined;
}

/** The valid model type that is nearest to a text; undefined when no character can be kept. */
export function toModelType(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const type = text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '_')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
  return type === '' ? undefined : type;
}
