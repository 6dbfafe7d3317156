/** Decimal units, as disks and networks count them. */
export const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ...BYTE_UNITS.map((unit, power) => [unit.toLowerCase(), 1000 ** power] as const),
  ...BYTE_UNITS.slice(1).map((unit, power) => [`${unit[0]?.toLowerCase()}ib`, 1024 ** (power + 1)] as const),
]);

/** Bytes as people write them: `200GB`, `1.5 TiB`, in any case. Undefined for anything else, and for a number without a unit. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,9})?)\s*([kmgtp]?i?b)$/i.exec(text.trim()) ?? [];
  const unitBytes = UNIT_BYTES.get(unit.toLowerCase());
  return number === undefined || unitBytes === undefined ? undefined : Math.round(Number(number) * unitBytes);
}

/** A number of bytes for people: `1.5 GB`. Cut off, never rounded up. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), BYTE_UNITS.length - 1);
  const value = power === 0 ? Math.floor(bytes) : Math.floor(bytes / (1000 ** power / 10)) / 10;
  return `${value} ${BYTE_UNITS[power]}`;
}
