import type { Argv } from 'yargs';
import type { CommonOptions } from '../console/context.ts';

/** The parser as each command file is given it: the options of every command are on it already. */
export type CommandParser = Argv<CommonOptions>;

const LANES = ['auto', 'direct', 'webrtc', 'relay'] as const;
const ENGINES = ['auto', 'native', 'werift'] as const;

/** How an agent makes WebRTC connections. */
export function webRtcOptions<T>(parser: Argv<T>) {
  return parser
    .option('engine', { choices: ENGINES, default: 'auto' as const, describe: 'The WebRTC engine' })
    .option('ice-server', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'A STUN or TURN server, e.g. stun:HOST:3478 or turn:USER:PASSWORD@HOST:3478',
    });
}

/** How a command reaches workers. */
export function networkOptions<T>(parser: Argv<T>) {
  return webRtcOptions(parser).option('lane', {
    choices: LANES,
    default: 'auto' as const,
    describe: 'The kind of connection; auto tries all and uses the best',
  });
}

/** Which worker a command talks to, and how. The session may come from the environment, so that no secret is in the arguments. */
export function workerOptions<T>(parser: Argv<T>, name: 'worker' | 'session' = 'worker') {
  return networkOptions(
    parser.option(name, {
      type: 'string',
      alias: name === 'worker' ? 'session' : 'worker',
      describe: 'The session: a token, a saved name, or @FILE (else MODEL_RTC_SESSION)',
    }),
  );
}

const STATUSES = ['training', 'completed', 'interrupted', 'failed', 'checkpoint_missing', 'broken_symlink'] as const;
const LOCATIONS = ['local', 'worker', 'both', 'all'] as const;
const SORTS = ['date', 'name', 'type', 'loss', 'size'] as const;
export const IF_EXISTS_CHOICES = ['skip', 'overwrite'] as const;

/** What becomes of an alias that another model has. Without it, a person is asked. */
export function aliasConflictOption<T>(parser: Argv<T>) {
  return parser.option('alias-conflict', {
    choices: ['keep', 'rename', 'overwrite'] as const,
    describe: 'When another model has the alias: let it keep that, take a free one like it, or take it over [asked]',
  });
}

export function safeOnlyOption<T>(parser: Argv<T>, describe: string) {
  return parser.option('safe-only', { type: 'boolean', default: false, describe });
}

/** What narrows a list of models, the same on both sides. */
export function listOptions<T>(parser: Argv<T>) {
  return parser
    .option('type', { type: 'string', describe: 'Only models of this type' })
    .option('tag', { type: 'string', describe: 'Only models with this tag' })
    .option('alias', { type: 'string', describe: "Only models with this alias; '*' stands for anything" })
    .option('status', {
      choices: STATUSES,
      describe: 'Only models in this state',
    })
    .option('location', {
      choices: LOCATIONS,
      describe: 'Only models that are here, at a worker as it was last seen, on both, or anywhere',
    })
    .option('sort-by', { choices: SORTS, default: 'date' as const, describe: 'The order' })
    .option('limit', { type: 'number', describe: 'At most this many' });
}
