import type { Priority } from './priority.ts';
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

/** A transfer whose priority may change while it runs. */
export interface Prioritized {
  /** Gives way to more urgent transfers of this machine. */
  readonly limiter: RateLimiter;
  /** Calls back with the priority now and whenever it changes. */
  onPriority(listener: (priority: Priority) => void): void;
}

/** The limit of one transfer within that which all share: by its priority, and by the tier of its model unless it is critical. */
export function limitTransfer(
  transfer: Prioritized,
  shared: RateLimiter | undefined,
  tiers: readonly SizeTier[] | undefined,
  bytes: number,
): RateLimiter {
  // Transfers of one process get equal parts of what they share.
  const part = shared?.share?.() ?? shared;
  const within = part === undefined ? transfer.limiter : combine(transfer.limiter, part);
  const bytesPerSecond = tierRate(tiers ?? [], bytes);
  if (bytesPerSecond === undefined) return within;
  const tier = createRateLimiter({ bytesPerSecond });
  transfer.onPriority((priority) => {
    tier.rate = priority === 'critical' ? Number.POSITIVE_INFINITY : bytesPerSecond;
  });
  return combine(tier, within);
}
