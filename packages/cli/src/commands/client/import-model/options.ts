import type { FindOptions, ImportIfExists } from '@model-rtc/registry';
import type { ArgumentSpecs, ValuesOf } from '../../../command-line/types.ts';
import { aliasConflictOption, safeOnlyOption, yesOption } from '../../options.ts';

const glob = { type: 'string', array: true, nargs: 1, default: [] } as const;

export const importOptions = {
  ...aliasConflictOption,
  ...safeOnlyOption,
  alias: {
    type: 'string',
    describe: 'Its alias [made from its path and asked; a free one like it in a script when that is taken]',
  },
  'model-type': { type: 'string', describe: 'Its type, instead of the one found in its files' },
  'if-exists': {
    choices: ['skip', 'overwrite', 'rename', 'cancel'],
    describe:
      'If it is here under another alias: leave it, import it again, or only change its alias. From a hub, if another model has its name: take the name over, choose a free one, or fetch nothing [asked]',
  },
  name: { type: 'string', nargs: 1, describe: 'Its full name, such as acme/tiny; commands take it as a reference' },
  tag: { type: 'string', array: true, nargs: 1, describe: 'A tag; may be given several times' },
  notes: { type: 'string', nargs: 1, describe: 'Notes about it, at most 1,000 characters' },
  parent: {
    type: 'string',
    nargs: 1,
    describe: 'The model on this machine that it was fine-tuned from',
    completes: 'models',
  },
  copy: { type: 'boolean', default: false, describe: 'Copy the files instead of linking to them' },
  convert: {
    choices: ['safetensors'],
    describe: 'Import a copy with its torch files (.bin, .pt, .pth) as safetensors; runs no code of theirs',
  },
  'with-training-state': {
    type: 'boolean',
    default: false,
    describe: 'Keep optimizer states and validation results, which are left out otherwise',
  },
  include: {
    ...glob,
    describe:
      'Take files or folders that would be left out: a name or glob, from the model on; may be given several times',
  },
  exclude: { ...glob, describe: 'Leave files or folders out; counts before --include; may be given several times' },
  'follow-links': {
    type: 'boolean',
    default: false,
    describe: 'Take what links lead to outside of the folder, and folders behind links; they are listed',
  },
  all: { type: 'boolean', default: false, describe: 'Import each model of a folder that holds several' },
  'as-one': {
    type: 'boolean',
    default: false,
    describe: 'Take a folder that holds several models as one',
  },
  'as-is': {
    type: 'boolean',
    default: false,
    describe: 'Take a file or folder of any format whole, logs and hidden files too; say what it is with --model-type',
  },
  revision: {
    type: 'string',
    nargs: 1,
    describe: "The branch, tag or commit of a repository on a hub or in a hub's cache",
  },
  'allow-incomplete': {
    type: 'boolean',
    default: false,
    describe: 'Register it even if files are missing or cut off, and mark it so',
  },
  'accept-license': {
    type: 'boolean',
    default: false,
    describe: "From a hub: accept the model's license [shown and asked]",
  },
  'token-file': {
    type: 'string',
    nargs: 1,
    describe: "From a hub: a file that has your access token [HF_TOKEN, or that of the hub's own tools]",
    completes: 'files',
  },
  'arch-any': {
    type: 'boolean',
    default: false,
    describe: 'From a hub: take a model of any family, not only those of the setting hub.architectures',
  },
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
