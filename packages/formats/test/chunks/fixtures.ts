import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';

/** Real models beside the repository, see their README. */
const FIXTURES = fileURLToPath(new URL('../../../../../shared/fixtures/', import.meta.url));
const required = process.env.MODEL_RTC_REQUIRE_ALL === '1';

/** `describe` where the fixtures are, or where they must be; elsewhere skipped, with the reason in the title. */
export function describeWithFixtures(title: string, body: () => void): void {
  if (existsSync(FIXTURES) || required) describe(title, body);
  else describe.skip(`${title} (skipped: there is no ${FIXTURES})`, body);
}

export function readFixture(path: string): Uint8Array {
  return new Uint8Array(readFileSync(`${FIXTURES}${path}`));
}
