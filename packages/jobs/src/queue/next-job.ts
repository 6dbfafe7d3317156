/** A job as the queue sees it. */
export interface QueuedJob {
  readonly owner: string;
  readonly runner: string;
}

export interface QueueRules {
  readonly maxRunning: number;
  readonly maxRunningPerOwner: number;
  /** Jobs of one runner that run at once. */
  concurrencyOf(runner: string): number;
}

/**
 * The job that starts next: the one that waits longest, passing over those whose runner or owner has as many running as it may.
 * @param waiting in the order in which they came
 */
export function nextJob<T extends QueuedJob>(
  waiting: Iterable<T>,
  running: readonly QueuedJob[],
  rules: QueueRules,
): T | undefined {
  if (running.length >= rules.maxRunning) return undefined;
  const ofOwner = countBy(running, ({ owner }) => owner);
  const ofRunner = countBy(running, ({ runner }) => runner);
  for (const job of waiting) {
    if ((ofOwner.get(job.owner) ?? 0) >= rules.maxRunningPerOwner) continue;
    if ((ofRunner.get(job.runner) ?? 0) < rules.concurrencyOf(job.runner)) return job;
  }
  return undefined;
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
