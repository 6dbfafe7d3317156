import { type ArgumentSpecs, requiredText, textOption } from '../../command-line/types.ts';
import { networkOptions } from '../options.ts';

/** Whose catalog it is. */
export const catalogOptions = {
  session: textOption(
    "A worker's catalog instead of this machine's: a token, a saved name, @FILE, mesh:NODE or mesh:best",
    {
      completes: 'workers',
    },
  ),
  ...networkOptions,
} as const satisfies ArgumentSpecs;

export const catalogId = requiredText('Its id in the catalog, or another name that it has there', {
  completes: 'catalog-ids',
});
