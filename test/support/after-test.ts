import { afterEach } from '@jest/globals';

const steps: (() => unknown)[] = [];

/** Does something when the test has ended; the last registered is done first. */
export function afterTest(step: () => unknown): void {
  steps.push(step);
}

afterEach(async () => {
  for (const step of steps.splice(0).reverse()) await step();
});
