import { ModelRtcError } from '@model-rtc/protocol';
import { firstGiven, refuseGiven } from '../../refuse-given.ts';
import type { GivenImportOptions, ImportOptions } from './options.ts';

/** What only counts for files that are on this disk already. */
const FOR_FILES_HERE = [
  ...(['modelType', 'copy', 'withTrainingState', 'followLinks', 'all', 'asOne', 'asIs'] as const),
  ...(['allowIncomplete', 'parent', 'aliasConflict'] as const),
];

/** For a model from a hub. @throws ModelRtcError `bad_argument` */
export function refuseLocalOptions(options: GivenImportOptions): void {
  refuseGiven(options, FOR_FILES_HERE, (option) => {
    const isConflict = option === '--alias-conflict';
    const instead = isConflict ? 'Pass --if-exists, which decides about the name and the alias.' : 'Leave it out.';
    return `${option} is for models on this disk, not for models from a hub. ${instead}`;
  });
  if (options.ifExists !== 'skip') return;
  throw new ModelRtcError(
    'bad_argument',
    '--if-exists skip is for models on this disk. For a model from a hub pass overwrite, rename or cancel.',
    { details: { option: '--if-exists' } },
  );
}

/** The options for a model on this disk. @throws ModelRtcError `bad_argument` for one that only counts for a hub */
export function localOptions({ ifExists, ...options }: GivenImportOptions): ImportOptions {
  const given = firstGiven(options, ['acceptLicense', 'tokenFile', 'archAny', 'priority']);
  if (given === undefined && ifExists !== 'cancel') return { ...options, ifExists };
  const sentence = `${given ?? '--if-exists cancel'} is for models from a hub. Leave it out, or name one: hf:ORG/NAME.`;
  throw new ModelRtcError('bad_argument', sentence, { details: { option: given ?? '--if-exists' } });
}
