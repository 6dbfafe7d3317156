import { BYTE_UNITS, formatBytes, type GivenNames, givenName } from '@model-rtc/protocol';
import prettyMs from 'pretty-ms';

/** A part of a whole in the unit of the whole: `1.3 of 14.0 GB`. A part too small for that has its own unit. */
export function formatShare(bytes: number, totalBytes: number): string {
  const power = BYTE_UNITS.findLastIndex((_, i) => totalBytes >= 1000 ** i);
  const unitBytes = 1000 ** power;
  if (power < 1 || (bytes > 0 && bytes < unitBytes / 10)) return `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
  // Cut off like all sizes, so that a part never looks like the whole.
  const tenths = (part: number): string => (Math.floor(part / (unitBytes / 10)) / 10).toFixed(1);
  return `${tenths(bytes)} of ${tenths(totalBytes)} ${BYTE_UNITS[power]}`;
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

export function formatDuration(ms: number): string {
  return prettyMs(
    Math.max(0, ms),
    ms < 10_000 ? { secondsDecimalDigits: 1 } : { secondsDecimalDigits: 0, unitCount: 2 },
  );
}

/** A time as people read it in a table: `2026-11-21 09:30`, in the machine's own time zone. */
export function formatTime(iso: string | undefined): string {
  if (iso === undefined) return '';
  const date = new Date(iso);
  const pad = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

export function formatPercent(done: number, total: number): string {
  return `${total === 0 ? 100 : Math.floor((done / total) * 100)}%`;
}

/** A number with the digits that matter: `0.00231`, `41`. */
export function formatScalar(value: string | number | boolean | null): string {
  return typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(5))) : String(value);
}

/** A model as people read it: its alias, and the id that never changes. */
export function formatModel({ alias, id }: { readonly alias?: string | undefined; readonly id: string }): string {
  return printable(alias === undefined ? id : `${alias} (${id})`);
}

/** What people call a model by: its alias, else its name in a static registry, else its id. */
export function shortName(model: GivenNames & { readonly id: string }): string {
  return printable(givenName(model) ?? model.id);
}

/** The first few of a list, and how many more there are: `a, b and 3 more`. */
export function formatSome(texts: readonly string[], most: number): string {
  const more = texts.length > most ? ` and ${texts.length - most} more` : '';
  return `${texts.slice(0, most).join(', ')}${more}`;
}

/** `1 model`, `2 models`. */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** DEL, C1 controls, and the marks that turn the direction of what follows: JSON leaves them as they are. */
const UNSAFE_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text from another machine, made harmless for a terminal: no control characters, no escape sequences. */
export function printable(text: string): string {
  // Fast path: nearly all texts are plain, and a long list has a hundred thousand of them.
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing control characters is the point
  return text.replaceAll(/[\u0000-\u001f]/g, '\u{fffd}').replaceAll(UNSAFE_IN_JSON, '\u{fffd}');
}

/** A line of JSON with the same meaning, made harmless for a terminal: JSON itself escapes only some control characters. */
export function printableJson(line: string): string {
  return line.replaceAll(UNSAFE_IN_JSON, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Whether a text is meant as a session token: a secret, which no output may repeat. */
export function isTokenText(text: string): boolean {
  // Also one in quotes, or behind a byte order mark, as it is pasted or read from a file.
  return /^[^A-Za-z0-9]{0,8}mrtc\d+_/.test(text);
}

/** A word that a POSIX shell takes literally. */
export function shellText(text: string): string {
  return /^[A-Za-z0-9_./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Facts below each other, with their values in one column. What has no value is left out. */
export function factsText(facts: readonly (readonly [name: string, value: unknown])[]): string {
  const shown = facts.filter(([, value]) => value !== undefined && value !== null && value !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value))}`).join('\n');
}
