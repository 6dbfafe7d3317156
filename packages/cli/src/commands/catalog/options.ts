import type { ArgumentSpec, ArgumentSpecs } from '../../command-line/types.ts';
import { networkOptions } from '../options.ts';

/** Whose catalog it is. */
export const catalogOptions = {
  session: {
    type: 'string',
    completes: 'workers',
    describe: "A worker's catalog instead of this machine's: a token, a saved name, or @FILE",
  },
  ...networkOptions,
} as const satisfies ArgumentSpecs;

export const catalogId = {
  type: 'string',
  demandOption: true,
  describe: 'Its id in the catalog, or another name that it has there',
  completes: 'catalog-ids',
} as const satisfies ArgumentSpec;
