import { combine, type RateLimiter } from './rate-limiter.ts';
import { createRateLimiter } from './token-bucket.ts';

/** How fast one transfer of a model of this size or more may be. */
export interface SizeTier {
  readonly fromBytes: number;
  readonly bytesPerSecond: number;
}

/** The rate of the highest tier that the model reaches; undefined where none limits it. */
export function tierRate(tiers: readonly SizeTier[], bytes: number): number | undefined {
  const reached = tiers.filter(({ fromBytes }) => bytes >= fromBytes);
  return reached.sort((a, b) => b.fromBytes - a.fromBytes)[0]?.bytesPerSecond;
}

/** A limiter for one transfer by the tier of its model, within the limit that all transfers share. */
export function limitBySize(
  shared: RateLimiter | undefined,
  tiers: readonly SizeTier[] | undefined,
  bytes: number,
): RateLimiter | undefined {
  const bytesPerSecond = tierRate(tiers ?? [], bytes);
  if (bytesPerSecond === undefined) return shared;
  const own = createRateLimiter({ bytesPerSecond });
  return shared === undefined ? own : combine(own, shared);
}
