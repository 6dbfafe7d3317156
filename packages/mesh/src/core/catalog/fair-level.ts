/**
 * The most that each may have so that all together have no more than there is: whoever wants less than an equal share gets all of it, and
 * what they leave is shared by the others.
 * @param wants what each wants: 0 or more
 * @returns infinity when there is enough for all
 */
export function fairLevel(wants: readonly number[], total: number): number {
  const sorted = Float64Array.from(wants).sort();
  let rest = total;
  for (const [i, want] of sorted.entries()) {
    const share = rest / (sorted.length - i);
    if (want > share) return share;
    rest -= want;
  }
  return Number.POSITIVE_INFINITY;
}
