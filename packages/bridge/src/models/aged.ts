/**
 * What `load` gives, used again while it is young: many requests cost one load. A failed one is not kept.
 * @param nowMs - milliseconds that only grow
 */
export function aged<T>(load: () => Promise<T>, longestMs: number, nowMs: () => number): () => Promise<T> {
  let kept: { readonly value: Promise<T>; readonly atMs: number } | undefined;
  return async () => {
    if (kept === undefined || nowMs() - kept.atMs > longestMs) {
      const value = load();
      kept = { value, atMs: nowMs() };
      value.catch(() => {
        kept = undefined;
      });
    }
    return await kept.value;
  };
}
