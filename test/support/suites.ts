import { afterAll, afterEach, describe, it } from '@jest/globals';
import { createLab, type Lab } from './lab.ts';
import { judge, type Requirement } from './requirements.ts';

/**
 * A `describe` for tests that need programs or rights. Where one is missing the suite is skipped and its name says
 * what to install; with MODEL_RTC_REQUIRE_ALL=1 it fails.
 */
export function describeWith(requirements: readonly Requirement[], name: string, suite: () => void): void {
  const verdict = judge(requirements, process.env.MODEL_RTC_REQUIRE_ALL === '1');
  if (verdict.kind === 'run') describe(name, suite);
  else if (verdict.kind === 'skip') describe.skip(`${name} (skipped: ${verdict.reason})`, suite);
  else {
    describe(name, () => {
      it('has what it needs', () => {
        throw new Error(`${verdict.reason} (MODEL_RTC_REQUIRE_ALL=1 allows no skipping)`);
      });
    });
  }
}

/** Whether tests that take a minute and more run too: `npm run test:long`. */
export const isLongRun = process.env.MODEL_RTC_LONG_TESTS === '1';

/** An `it` for them. */
export const longIt: (name: string, test: () => Promise<void>, timeoutMs?: number) => void = isLongRun ? it : () => {};

/**
 * A lab for the tests of the enclosing `describe`, cleared after each of them, or after all where they share machines.
 */
export function useLab(clear: 'after each' | 'after all' = 'after each'): Lab {
  const lab = createLab();
  const end = clear === 'after each' ? afterEach : afterAll;
  end(async () => await lab[Symbol.asyncDispose](), 60_000);
  return lab;
}
