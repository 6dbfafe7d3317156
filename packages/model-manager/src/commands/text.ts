import { formatBytes } from '@model-rtc/protocol';

/** Control characters, and the marks that turn the direction of what follows: a registry's names may hold anything. */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Text from a registry, made harmless for a terminal. */
export function safe(text: string): string {
  return text.replaceAll(UNSAFE, '\u{fffd}');
}

/** A JSON line with the same meaning, made harmless for a terminal. */
export function safeJson(data: object): string {
  return JSON.stringify(data).replaceAll(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, ...rows.map((row) => row.map(safe))];
  const widths = titles.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd((widths[i] ?? 0) + 3))
        .join('')
        .trimEnd(),
    )
    .join('\n');
}

/** Lines of names and values; those without a value are left out. */
export function facts(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(...shown.map(([name]) => name.length)) + 3;
  return shown.map(([name, value]) => `${`${name}:`.padEnd(width)}${safe(value ?? '')}`).join('\n');
}

export function day(iso: string | undefined): string {
  return iso?.slice(0, 10) ?? '';
}

export function sizeText(bytes: number | undefined): string {
  return bytes === undefined ? '' : formatBytes(bytes);
}

export function count(number: number, singular: string): string {
  return `${number} ${singular}${number === 1 ? '' : 's'}`;
}
