import type { ArgumentSpec, ArgumentSpecs } from '../command-line/types.ts';

/** The positional argument that names a model of this machine. */
export const localModel = {
  type: 'string',
  demandOption: true,
  describe: 'An id, alias, digest prefix or path',
  completes: 'models',
} as const satisfies ArgumentSpec;

/** What happens to an alias that another model has. Without it, a person is asked. */
export const aliasConflictOption = {
  'alias-conflict': {
    choices: ['keep', 'rename', 'overwrite'],
    describe: 'If another model has the alias: let it keep it, take a free one like it, or take it over [asked]',
  },
} as const satisfies ArgumentSpecs;

export const safeOnlyOption = {
  'safe-only': { type: 'boolean', default: false, describe: 'Refuse a model that runs code when it is loaded' },
} as const satisfies ArgumentSpecs;

export const yesOption = {
  yes: { type: 'boolean', default: false, alias: 'y', describe: 'Do not ask for confirmation' },
} as const satisfies ArgumentSpecs;
