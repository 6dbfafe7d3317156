import { hostname } from 'node:os';
import type { ConnectOptions, WorkerConnection } from '@model-rtc/client';
import { ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import type { KnownWorker } from '@model-rtc/registry';
import type { IceServer } from '@model-rtc/transport';
import { agentLimits } from '../console/agent-limits.ts';
import type { Context } from '../console/context.ts';
import { isTokenText, printable } from '../console/format.ts';
import { type BestNode, isMeshText } from '../console/mesh-reference.ts';
import { requireBest, sessionToken } from '../console/session-argument.ts';
import { storageCap } from '../console/storage-cap.ts';
import { packageVersion } from '../package.ts';
import type { NetworkOptions } from './options.ts';

/**
 * Connects to a worker.
 *
 * @param session - as the user wrote it; undefined for the session in the environment.
 * @param wanted - which node `mesh:best` names, where the options do not say, and whether models are fetched from it
 */
export async function connectWorker(
  context: Context,
  network: NetworkOptions,
  session: string | undefined,
  wanted: Pick<BestNode, 'best' | 'ref' | 'fetch'> = {},
): Promise<WorkerConnection> {
  const { where, best = wanted.best } = network;
  requireBest(network, [session ?? context.runtime.env.MODEL_RTC_SESSION]);
  const token = await sessionToken(context, session, { where, best, ref: wanted.ref, fetch: wanted.fetch });
  return await connectSession(context, network, { text: session ?? context.runtime.env.MODEL_RTC_SESSION, token });
}

/** Connects to the worker of a session that was found already. @param session.text - as the user wrote it */
export async function connectSession(
  context: Context,
  network: NetworkOptions,
  { text = '', token }: { readonly text?: string | undefined; readonly token: SessionToken },
): Promise<WorkerConnection> {
  const { connect } = await import('@model-rtc/client');
  try {
    return await connect({ ...(await agentOptions(context, network)), session: token, signal: context.signal });
  } catch (error) {
    if (!isMeshText(text)) throw error;
    const { inMeshWords } = await import('@model-rtc/mesh');
    throw inMeshWords(error, `The worker of ${printable(text.trim())}`);
  }
}

/** Sessions for `connectAll`, as a person wrote them; the one in the environment when there are none. */
export async function namedSessions(context: Context, given: Iterable<string>, wanted?: BestNode) {
  const texts = [...given];
  return await Promise.all(
    (texts.length === 0 ? [undefined] : texts).map(async (text) => ({
      session: await sessionToken(context, text, wanted),
      name: nameIn(text ?? context.runtime.env.MODEL_RTC_SESSION),
    })),
  );
}

/** This agent, as it connects to any worker. */
export async function agentOptions(
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
    storage: await storageCap(context),
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

/** The user's name for a worker that has not told its own: a saved name or @FILE. A token is a secret, not a name. */
function nameIn(text: string | undefined): string | undefined {
  const given = text?.trim() ?? '';
  return given === '' || isTokenText(given) ? undefined : given;
}

/** Gives the name that the user knows a worker by. */
export type WorkerNamer = (worker: KnownWorker) => string;

/**
 * Names workers as their sessions are saved here, or else as they call themselves. A list of models does not fail because
 * the settings are damaged.
 */
export async function workerNamer(context: Context): Promise<WorkerNamer> {
  const { SavedWorkers } = await import('../console/saved-workers.ts');
  try {
    const saved = new Map(
      (await SavedWorkers.open(context.home)).list().map((worker) => [worker.workerKey, worker.name]),
    );
    return ({ key, name }) => saved.get(key) ?? name;
  } catch (error) {
    const { message } = ModelRtcError.from(error);
    context.log.warn({ err: error }, `Workers are shown by the names that they gave themselves: ${message}`);
    return ({ name }) => name;
  }
}
