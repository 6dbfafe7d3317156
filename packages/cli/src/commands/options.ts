import type { ArgumentSpec, ArgumentSpecs, ValuesOf } from '../command-line/types.ts';

/** The positional argument that names a model of this machine. */
export const localModel = {
  type: 'string',
  demandOption: true,
  describe: 'An id, alias, digest prefix, full name or path',
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

/** How an agent makes WebRTC connections. */
export const webRtcOptions = {
  engine: { choices: ['auto', 'native', 'werift'], default: 'auto', describe: 'The WebRTC engine' },
  'ice-server': {
    type: 'string',
    array: true,
    default: [],
    env: 'MODEL_RTC_ICE_SERVERS',
    describe: 'A STUN or TURN server, e.g. stun:HOST:3478 or turn:USER:PASSWORD@HOST:3478',
  },
} as const satisfies ArgumentSpecs;

/** How a command reaches workers. */
export const networkOptions = {
  ...webRtcOptions,
  lane: {
    choices: ['auto', 'direct', 'webrtc', 'relay'],
    default: 'auto',
    describe: 'The kind of connection; auto tries all of them and uses the best',
  },
} as const satisfies ArgumentSpecs;
export type NetworkOptions = ValuesOf<typeof networkOptions>;

/** Which worker a command talks to. The session may come from the environment, so that no secret is in the arguments. */
export const workerOption = {
  type: 'string',
  alias: 'session',
  env: 'MODEL_RTC_SESSION',
  completes: 'workers',
  describe: 'The session: a token, a saved name, or @FILE',
} as const satisfies ArgumentSpec;
