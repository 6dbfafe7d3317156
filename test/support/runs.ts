/**
 * How many inputs a property is tried with: all of them in `.ci/run`, which sets CI, and a fifth while one works.
 * Each run draws others, so that they add up.
 */
export function runs(count: number): number {
  return process.env.CI === undefined ? Math.ceil(count / 5) : count;
}
