import { fileURLToPath } from 'node:url';

/** Real models in the layouts of the tools that write them; see their README. Ends with a slash. */
export const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures/', import.meta.url));
