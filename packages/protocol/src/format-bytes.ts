/** Decimal units, as disks and networks count them. */
export const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** A number of bytes for people: `1.5 GB`. Cut off, never rounded up. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), BYTE_UNITS.length - 1);
  const value = power === 0 ? Math.floor(bytes) : Math.floor(bytes / (1000 ** power / 10)) / 10;
  return `${value} ${BYTE_UNITS[power]}`;
}
