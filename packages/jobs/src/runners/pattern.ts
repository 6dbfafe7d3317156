import { RE2JS } from 're2js';

/** What is wrong with a regular expression, or undefined. */
export function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (thrown) {
    return `it is no regular expression that can be matched in bounded time (RE2): ${(thrown as Error).message}`;
  }
}

/** Whether the whole text matches, in time proportional to its length. */
export function matchesWhole(pattern: string, text: string): boolean {
  return RE2JS.matches(pattern, text);
}
