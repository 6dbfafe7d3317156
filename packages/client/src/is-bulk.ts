/** Less is over before further connections have come up. */
const BULK_BYTES = 8 * 1024 * 1024;

/** Whether a model is so large that its transfer may need more than one connection. */
export function isBulk({ size }: { readonly size: number }): boolean {
  return size >= BULK_BYTES;
}
