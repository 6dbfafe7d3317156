import type { Sideline } from './lane-scenarios.ts';

/** One side's half of a sideline; events heard before they are waited for are kept. */
export function createSideline(carry: (event: string) => void): Sideline & { hear(event: string): void } {
  const heard = new Set<string>();
  const waiting = new Map<string, () => void>();
  return {
    tell: carry,
    told: (event) =>
      heard.has(event) ? Promise.resolve() : new Promise((resolve) => void waiting.set(event, resolve)),
    hear(event) {
      heard.add(event);
      waiting.get(event)?.();
    },
  };
}
