import { ModelRtcError } from '@model-rtc/protocol';
import type { GivenImportOptions, ImportOptions } from './options.ts';

/** What only counts for files that are on this disk already. */
const FOR_FILES_HERE = [
  ...(['model-type', 'copy', 'with-training-state', 'follow-links', 'all', 'as-one', 'as-is'] as const),
  ...(['allow-incomplete', 'parent', 'alias-conflict'] as const),
];

/** For a model from a hub. @throws ModelRtcError `bad_argument` */
export function refuseLocalOptions(options: GivenImportOptions): void {
  const { modelType, copy, withTrainingState, followLinks, all, asOne, asIs, allowIncomplete, parent, aliasConflict } =
    options;
  const values = [
    modelType,
    copy,
    withTrainingState,
    followLinks,
    all,
    asOne,
    asIs,
    allowIncomplete,
    parent,
    aliasConflict,
  ];
  const given = FOR_FILES_HERE.find((_, i) => values[i] !== undefined && values[i] !== false);
  if (given !== undefined) {
    const instead =
      given === 'alias-conflict' ? 'Pass --if-exists, which decides about the name and the alias.' : 'Leave it out.';
    const sentence = `--${given} is for models on this disk, not for models from a hub. ${instead}`;
    throw new ModelRtcError('bad_argument', sentence, { details: { option: `--${given}` } });
  }
  if (options.ifExists !== 'skip') return;
  throw new ModelRtcError(
    'bad_argument',
    '--if-exists skip is for models on this disk. For a model from a hub pass overwrite, rename or cancel.',
    { details: { option: '--if-exists' } },
  );
}

/** The options for a model on this disk. @throws ModelRtcError `bad_argument` for one that only counts for a hub */
export function localOptions({ ifExists, ...options }: GivenImportOptions): ImportOptions {
  const given = [
    options.acceptLicense ? '--accept-license' : undefined,
    options.tokenFile === undefined ? undefined : '--token-file',
    options.archAny ? '--arch-any' : undefined,
    ifExists === 'cancel' ? '--if-exists cancel' : undefined,
  ].find((option) => option !== undefined);
  if (given === undefined && ifExists !== 'cancel') return { ...options, ifExists };
  const sentence = `${given} is for models from a hub. Leave it out, or name one: hf:ORG/NAME.`;
  throw new ModelRtcError('bad_argument', sentence, { details: { option: given?.split(' ', 1)[0] } });
}
