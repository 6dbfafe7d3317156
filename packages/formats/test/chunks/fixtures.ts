import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Real models in the layouts of the tools that write them; see their README. */
const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures/', import.meta.url));

export function readFixture(path: string): Uint8Array {
  return new Uint8Array(readFileSync(`${FIXTURES}${path}`));
}
