import { ModelRtcError } from '@model-rtc/protocol';
import { PRIORITIES, type Priority } from '@model-rtc/transfer';
import type { ModelsArgument, ModelsArguments } from './types.ts';

type MoreOfArgument = Omit<ModelsArgument, 'type' | 'describe'>;

/** An option that is off unless it is given. */
export function flag<const More extends MoreOfArgument = object>(describe: string, more?: More) {
  return { type: 'boolean', default: false, describe, ...(more as More) } as const;
}

/** A text that may be left out. */
export function text<const More extends MoreOfArgument = object>(describe: string, more?: More) {
  return { type: 'string', describe, ...(more as More) } as const;
}

/** An option that may be given several times, or not at all. */
export function texts<const More extends MoreOfArgument = object>(describe: string, more?: More) {
  return { type: 'string', isRepeated: true, describe, ...(more as More) } as const;
}

/** A text that has to be given. */
export function required<const More extends MoreOfArgument = object>(describe: string, more?: More) {
  return { type: 'string', demandOption: true, describe, ...(more as More) } as const;
}

/** Which of the machine's transfers go first. */
export const priorityOption = {
  priority: text('Which transfers of this machine go first; low also yields to other traffic [normal]', {
    choices: PRIORITIES,
  }),
} as const satisfies ModelsArguments;

/** @throws ModelRtcError `bad_argument`: not every command line checks what an option takes */
export function priorityOf(given: string | undefined): Priority | undefined {
  const priority = PRIORITIES.find((one) => one === given);
  if (given === undefined || priority !== undefined) return priority;
  throw new ModelRtcError('bad_argument', `--priority takes ${PRIORITIES.join(', ')}, not "${given}".`);
}

export const modelArgument = required('GROUP/MODEL', { completes: 'releases' });
export const versionArgument = required('A version, or an alias such as latest', { completes: 'release-versions' });

/** What a registry listed can be named as well. */
export const listedModel = { ...modelArgument, completes: 'listed-releases' } as const;
export const listedVersion = { ...versionArgument, completes: 'listed-release-versions' } as const;

export const registryOption = {
  registry: text('The static registry: an https://, http://, file:// or s3:// address', {
    env: 'MODEL_RTC_REGISTRY_URL',
  }),
  'trust-key': texts(
    "A publisher's key, or @FILE: pins it, so that nothing is taken from the registry that no pinned key signed",
    { env: 'MODEL_RTC_TRUST_KEY' },
  ),
} as const satisfies ModelsArguments;
