import { hostname } from 'node:os';
import type { WorkerConnection } from '@model-rtc/client';
import { ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import type { EngineChoice, LaneChoice } from '@model-rtc/transport';
import { packageVersion } from '../version.ts';
import type { Context } from './context.ts';
import { iceServers } from './ice-servers.ts';
import { agentLimits } from './speed.ts';

/** How a command reaches workers. */
export interface NetworkOptions {
  readonly lane: LaneChoice;
  readonly engine: EngineChoice;
  readonly iceServer: readonly string[];
}

export interface SessionOptions extends NetworkOptions {
  /** What the person gave; the environment's session when undefined. */
  readonly session: string | undefined;
}

/** @throws ModelRtcError `bad_argument` when there is no session, or it is none. */
export async function sessionToken(context: Context, given: string | undefined): Promise<SessionToken> {
  const { parseSessionArgument, SavedWorkers } = await import('@model-rtc/client');
  const text = given ?? context.runtime.env.MODEL_RTC_SESSION;
  if (text === undefined || text.trim() === '') {
    throw new ModelRtcError(
      'bad_argument',
      'Which worker? Give --worker with a session token, a saved name or @FILE, or set MODEL_RTC_SESSION.',
    );
  }
  return await parseSessionArgument(text, {
    findSaved: async (name) => (await SavedWorkers.open(context.home)).find(name),
  });
}

/** Runs work on a worker's connection and closes it afterwards, also when the work fails. */
export async function withWorker<T>(
  context: Context,
  options: SessionOptions,
  work: (worker: WorkerConnection) => Promise<T>,
): Promise<T> {
  const { connect } = await import('@model-rtc/client');
  const worker = await connect({
    session: await sessionToken(context, options.session),
    registry: await context.registry(),
    agentName: hostname(),
    agentVersion: packageVersion(),
    lane: options.lane,
    engine: options.engine,
    iceServers: iceServers(options.iceServer, context.runtime.env),
    limits: await agentLimits(context.home),
    signal: context.signal,
    log: context.log,
    onState: (state) => context.log.debug({ ...state }, 'connecting'),
  });
  try {
    return await work(worker);
  } finally {
    await worker.close();
  }
}
