import { hostname } from 'node:os';
import type { WorkerGroup } from '@model-rtc/client';
import { packageVersion } from '../version.ts';
import type { Context } from './context.ts';
import { iceServers } from './ice-servers.ts';
import { agentLimits } from './speed.ts';
import { type NetworkOptions, sessionToken } from './worker-session.ts';

/** Runs work on the workers of several sessions, or of the environment's when none is given, and closes the ways to them. */
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
  const workers = connectAll({
    sessions,
    registry: await context.registry(),
    agentName: hostname(),
    agentVersion: packageVersion(),
    lane: network.lane,
    engine: network.engine,
    iceServers: iceServers(network.iceServer, context.runtime.env),
    limits: await agentLimits(context.home),
    log: context.log,
    onState: (state) => context.log.debug({ ...state }, 'connecting'),
  });
  try {
    return await work(workers);
  } finally {
    await workers.close();
  }
}

/** What a person calls a worker that has not said its own name: a saved name or @FILE. A token is a secret, and no name. */
function nameIn(text: string | undefined): string | undefined {
  const given = text?.trim() ?? '';
  return given === '' || /^@?mrtc\d+_/.test(given) ? undefined : given;
}
