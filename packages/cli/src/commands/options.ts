import type { Priority } from '@model-rtc/transfer';
import {
  type ArgumentSpecs,
  flagOption,
  requiredText,
  textOption,
  textsOption,
  type ValuesOf,
} from '../command-line/types.ts';

/** The positional argument that names a model of this machine. */
export const localModel = requiredText('An id, alias, digest prefix, full name or path', {
  completes: 'models',
});

/** What happens to an alias that another model has. Without it, a person is asked. */
export const aliasConflictOption = {
  'alias-conflict': {
    choices: ['keep', 'rename', 'overwrite'],
    describe: 'If another model has the alias: let it keep it, take a free one like it, or take it over [asked]',
  },
} as const satisfies ArgumentSpecs;

export const safeOnlyOption = {
  'safe-only': flagOption('Refuse a model that runs code when it is loaded'),
} as const satisfies ArgumentSpecs;

/** For commands that fetch a model from nodes of a mesh. */
export const consentOption = {
  consent: flagOption(
    'Agree to fetch from all nodes of the mesh that have the model, those that appear meanwhile too [asked]',
  ),
} as const satisfies ArgumentSpecs;

export const PRIORITY_CHOICES = ['critical', 'high', 'normal', 'low'] as const satisfies readonly Priority[];

/** Which of this machine's transfers go first. */
export const priorityOption = {
  priority: {
    choices: PRIORITY_CHOICES,
    describe: 'Which transfers of this machine go first; low also yields to other traffic [normal]',
  },
} as const satisfies ArgumentSpecs;

/** The same for a command that only moves something with this flag, or from there. */
export function priorityWith(when: string) {
  return {
    priority: { ...priorityOption.priority, describe: `${when}: ${priorityOption.priority.describe}` },
  } as const;
}

export const yesOption = {
  yes: flagOption('Do not ask for confirmation', { alias: 'y' }),
} as const satisfies ArgumentSpecs;

/** How an agent makes WebRTC connections. */
export const webRtcOptions = {
  engine: { choices: ['auto', 'native', 'werift'], default: 'auto', describe: 'The WebRTC engine' },
  'ice-server': textsOption('A STUN or TURN server, e.g. stun:HOST:3478 or turn:USER:PASSWORD@HOST:3478', {
    env: 'MODEL_RTC_ICE_SERVERS',
  }),
} as const satisfies ArgumentSpecs;

/** How a command connects to workers that it chooses itself. */
export const laneOptions = {
  ...webRtcOptions,
  lane: {
    choices: ['auto', 'direct', 'webrtc', 'relay'],
    default: 'auto',
    describe: 'The kind of connection; auto tries all of them and uses the best',
  },
} as const satisfies ArgumentSpecs;

/** Which node `mesh:best` names. */
const bestOptions = {
  where: textOption("With --worker mesh:best: what the node must have, such as 'gpu_memory >= 16'"),
  best: textOption('With --worker mesh:best: the property by which the best is chosen [reliability]'),
} as const satisfies ArgumentSpecs;

/** How a command reaches the workers that a person names. */
export const networkOptions = { ...laneOptions, ...bestOptions } as const satisfies ArgumentSpecs;
export type NetworkOptions = ValuesOf<typeof laneOptions> & Partial<ValuesOf<typeof bestOptions>>;

/** For an option that may be given several times: as an array option, it would take the arguments behind it as well. yargs refuses arrays elsewhere. */
export function asSet(given: string | string[] | undefined): ReadonlySet<string> {
  return new Set([given ?? []].flat());
}

/** How a person proves to a hub who they are. */
export const tokenFileOption = {
  'token-file': textOption("A file that has your access token [HF_TOKEN, or that of the hub's own tools]", {
    nargs: 1,
    completes: 'files',
  }),
} as const satisfies ArgumentSpecs;

/** Which worker a command talks to. The session may come from the environment, so that no secret is in the arguments. */
export const workerOption = textOption('The session: a token, a saved name, @FILE, mesh:NODE or mesh:best', {
  alias: 'session',
  env: 'MODEL_RTC_SESSION',
  completes: 'workers',
});
