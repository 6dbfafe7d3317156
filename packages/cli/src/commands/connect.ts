import { hostname } from 'node:os';
import type { ConnectOptions, WorkerConnection, WorkerGroup } from '@model-rtc/client';
import { ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import type { KnownWorker } from '@model-rtc/registry';
import type { EngineChoice, IceServer, LaneChoice } from '@model-rtc/transport';
import type { ArgumentSpec, ArgumentSpecs } from '../command-line/types.ts';
import type { Context } from '../console/context.ts';
import { agentLimits } from '../console/settings.ts';
import { packageVersion } from '../package.ts';

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

/** Which worker a command talks to. The session may come from the environment, so that no secret is in the arguments. */
export const workerOption = {
  type: 'string',
  alias: 'session',
  env: 'MODEL_RTC_SESSION',
  completes: 'workers',
  describe: 'The session: a token, a saved name, or @FILE',
} as const satisfies ArgumentSpec;

export interface NetworkOptions {
  readonly lane: LaneChoice;
  readonly engine: EngineChoice;
  readonly iceServer: readonly string[];
}

export interface SessionOptions extends NetworkOptions {
  /** What the person gave; the environment's session when undefined. */
  readonly session: string | undefined;
}

/** @throws ModelRtcError `bad_argument` when there is no session, or it is not valid. */
export async function sessionToken(context: Context, given: string | undefined): Promise<SessionToken> {
  const { parseSessionArgument, SavedWorkers } = await import('@model-rtc/client');
  const text = given ?? context.runtime.env.MODEL_RTC_SESSION;
  if (text === undefined || text.trim() === '') {
    throw new ModelRtcError(
      'bad_argument',
      'Which worker? Pass --worker with a session token, a saved name or @FILE, or set MODEL_RTC_SESSION.',
    );
  }
  return await parseSessionArgument(text, {
    findSaved: async (name) => (await SavedWorkers.open(context.home)).find(name),
  });
}

/** Connects to a worker, runs work on the connection, and closes it even when the work fails. */
export async function withWorker<T>(
  context: Context,
  options: SessionOptions,
  work: (worker: WorkerConnection) => Promise<T>,
): Promise<T> {
  const { connect } = await import('@model-rtc/client');
  const session = await sessionToken(context, options.session);
  const worker = await connect({ ...(await agent(context, options)), session, signal: context.signal });
  try {
    return await work(worker);
  } finally {
    await worker.close();
  }
}

/** Runs work on the workers of several sessions, or of the environment's when none is given, and closes their connections. */
export async function withWorkers<T>(
  context: Context,
  given: readonly string[],
  network: NetworkOptions,
  work: (workers: WorkerGroup) => Promise<T>,
): Promise<T> {
  const { connectAll } = await import('@model-rtc/client');
  const texts = given.length === 0 ? [undefined] : given;
  const sessions = await Promise.all(
    texts.map(async (text) => ({
      session: await sessionToken(context, text),
      name: nameIn(text ?? context.runtime.env.MODEL_RTC_SESSION),
    })),
  );
  const workers = connectAll({ ...(await agent(context, network)), sessions });
  try {
    return await work(workers);
  } finally {
    await workers.close();
  }
}

/** This agent, as it connects to any worker. */
async function agent(
  context: Context,
  { lane, engine, iceServer }: NetworkOptions,
): Promise<Omit<ConnectOptions, 'session' | 'signal'>> {
  return {
    registry: await context.registry(),
    agentName: hostname(),
    agentVersion: packageVersion(),
    lane,
    engine,
    iceServers: iceServers(iceServer, context.runtime.env),
    limits: await agentLimits(context.home),
    log: context.log,
    onState: (state) => context.log.debug({ ...state }, 'connecting'),
  };
}

/**
 * STUN and TURN servers from `stun:HOST:PORT` or `turn:USER:PASSWORD@HOST:PORT`; when none are given, those in the
 * environment variable MODEL_RTC_ICE_SERVERS, separated by spaces or commas.
 */
export function iceServers(given: readonly string[], env: Readonly<Record<string, string | undefined>>): IceServer[] {
  const texts =
    given.length > 0 ? given : (env.MODEL_RTC_ICE_SERVERS ?? '').split(/[\s,]+/).filter((text) => text !== '');
  return texts.map(parseIceServer);
}

function parseIceServer(text: string): IceServer {
  const match = /^(stun|turns?):(?:([^:@]+):([^@]+)@)?([^@]+)$/.exec(text);
  const [, scheme, username, credential, address] = match ?? [];
  const complete = scheme === 'stun' ? username === undefined : username !== undefined;
  if (scheme === undefined || address === undefined || !complete) {
    // The text may hold a password, so it is not quoted.
    throw new ModelRtcError('bad_argument', '--ice-server takes stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT.');
  }
  const urls = `${scheme}:${address}`;
  if (username === undefined || credential === undefined) return { urls };
  return { urls, username: decodeURIComponent(username), credential: decodeURIComponent(credential) };
}

/** What a person calls a worker that has not said its own name: a saved name or @FILE. A token is a secret, not a name. */
function nameIn(text: string | undefined): string | undefined {
  const given = text?.trim() ?? '';
  return given === '' || /^@?mrtc\d+_/.test(given) ? undefined : given;
}

/** What a person calls a worker. */
export type WorkerNamer = (worker: KnownWorker) => string;

/** The name that a session of the worker is saved under here; what the worker calls itself when there is none. */
export async function workerNamer(context: Context): Promise<WorkerNamer> {
  const saved = await savedNames(context);
  return ({ key, name }) => saved.get(key) ?? name;
}

/** By the workers' keys. A list of models does not fail because the settings are damaged. */
async function savedNames(context: Context): Promise<ReadonlyMap<string, string>> {
  const { SavedWorkers } = await import('@model-rtc/client');
  try {
    const saved = (await SavedWorkers.open(context.home)).list();
    return new Map(saved.map(({ workerKey, name }) => [workerKey, name]));
  } catch (error) {
    context.log.warn({ err: error }, 'the saved workers cannot be read');
    return new Map();
  }
}
