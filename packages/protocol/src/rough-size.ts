/** What a value takes beside its characters: quotes, a separator, a tag. */
const EXTRA = 4;

/**
 * About how many bytes a value takes as JSON or MessagePack: texts count a byte for each UTF-16 unit, which may have three. For bounds that have room for
 * that; making the JSON of a long list to measure it takes ten times as long.
 *
 * @param value - plain data, as it comes out of a schema
 */
export function roughSize(value: unknown): number {
  if (typeof value === 'string') return value.length + EXTRA;
  if (typeof value !== 'object' || value === null) return 2 * EXTRA;
  let size = EXTRA;
  if (Array.isArray(value)) for (const item of value) size += roughSize(item);
  else for (const [name, item] of Object.entries(value)) size += name.length + EXTRA + roughSize(item);
  return size;
}
