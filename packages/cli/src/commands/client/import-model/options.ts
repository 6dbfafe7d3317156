import type { FindOptions, ImportIfExists } from '@model-rtc/registry';
import { type ArgumentSpecs, flagOption, textOption, textsOption, type ValuesOf } from '../../../command-line/types.ts';
import { aliasConflictOption, priorityWith, safeOnlyOption, yesOption } from '../../options.ts';

export const importOptions = {
  ...aliasConflictOption,
  ...safeOnlyOption,
  alias: textOption('Its alias [made from its path and asked; a free one like it in a script when that is taken]'),
  'model-type': textOption('Its type, instead of the one found in its files'),
  'if-exists': {
    choices: ['skip', 'overwrite', 'rename', 'cancel'],
    describe:
      'If it is here under another alias: leave it, import it again, or only change its alias. From a hub, if another model has its name: take the name over, choose a free one, or fetch nothing [asked]',
  },
  name: textOption('Its full name, such as acme/tiny; commands take it as a reference', { nargs: 1 }),
  tag: textOption('A tag; may be given several times', { array: true, nargs: 1 }),
  notes: textOption('Notes about it, at most 1,000 characters', { nargs: 1 }),
  parent: textOption('The model on this machine that it was fine-tuned from', { nargs: 1, completes: 'models' }),
  copy: flagOption('Copy the files instead of linking to them'),
  convert: {
    choices: ['safetensors'],
    describe: 'Import a copy with its torch files (.bin, .pt, .pth) as safetensors; runs no code of theirs',
  },
  'with-training-state': flagOption('Keep optimizer states and validation results, which are left out otherwise'),
  include: textsOption(
    'Take files or folders that would be left out: a name or glob, from the model on; may be given several times',
    { nargs: 1 },
  ),
  exclude: textsOption('Leave files or folders out; counts before --include; may be given several times', { nargs: 1 }),
  'follow-links': flagOption(
    'Take what links lead to outside of the folder, and folders behind links; they are listed',
  ),
  all: flagOption('Import each model of a folder that holds several'),
  'as-one': flagOption('Take a folder that holds several models as one'),
  'as-is': flagOption(
    'Take a file or folder of any format whole, logs and hidden files too; say what it is with --model-type',
  ),
  revision: textOption("The branch, tag or commit of a repository on a hub or in a hub's cache", { nargs: 1 }),
  'allow-incomplete': flagOption('Register it even if files are missing or cut off, and mark it so'),
  'accept-license': flagOption("From a hub: accept the model's license [shown and asked]"),
  'token-file': textOption("From a hub: a file that has your access token [HF_TOKEN, or that of the hub's own tools]", {
    nargs: 1,
    completes: 'files',
  }),
  'arch-any': flagOption('From a hub: take a model of any family, not only those of the setting hub.architectures'),
  ...priorityWith('From a hub'),
  yes: {
    ...yesOption.yes,
    describe: 'Ask nothing: leave a model that is here as it is, and take a free alias like one that is taken',
  },
} as const satisfies ArgumentSpecs;

/** What --yes answers to each question that was not answered: what changes nothing of another model. */
export function withAnswers(options: ImportOptions): ImportOptions {
  if (!options.yes) return options;
  const { ifExists = 'skip', aliasConflict = 'rename' } = options;
  return { ...options, ifExists, aliasConflict };
}

/** As a person gave them. */
export type GivenImportOptions = ValuesOf<typeof importOptions> & { readonly path: string };

/** For a model on this disk. */
export type ImportOptions = Omit<GivenImportOptions, 'ifExists'> & { readonly ifExists?: ImportIfExists | undefined };

/** Which files of a folder are the model, as the registry takes it. */
export function fileOptions(options: ImportOptions): FindOptions {
  const { withTrainingState, asOne, asIs, include, exclude, followLinks } = options;
  return { withTrainingState, asOne, asIs, include, exclude, followLinks };
}
