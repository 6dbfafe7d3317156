import prettyMs from 'pretty-ms';

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes in decimal units, as disks and networks count them: `1.5 GB`. Cut off, so that nothing seems more than it is. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), BYTE_UNITS.length - 1);
  const value = power === 0 ? Math.floor(bytes) : Math.floor(bytes / (1000 ** power / 10)) / 10;
  return `${value} ${BYTE_UNITS[power]}`;
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

/** A number with as many digits as tell: `0.00231`, `41`. */
export function formatScalar(value: string | number | boolean | null): string {
  return typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(5))) : String(value);
}

/** Text from another machine, made harmless for a terminal: no control characters, no escape sequences. */
export function printable(text: string): string {
  // Nearly all texts are such, and a long list has a hundred thousand.
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are just what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\u{fffd}');
}
