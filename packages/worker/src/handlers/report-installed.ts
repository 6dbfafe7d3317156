import type { Params, ResultInput } from '@model-rtc/protocol';
import type { RequestContext } from '@model-rtc/transport';
import type { HandlerOptions } from './types.ts';

/**
 * A client says that it has a model now, and what it calls it. It is only what a client says: clients have no identity that
 * it could be kept under, so it goes to the log, for the worker's owner.
 */
export async function logInstalledAtClient(
  { registry, log }: HandlerOptions,
  { digest, alias }: Params<'report_installed'>,
  { peer }: RequestContext<'report_installed'>,
): Promise<ResultInput<'report_installed'>> {
  const here = (await registry.find(digest))?.alias;
  log.info({ digest, alias: here, client: peer.remote.agent.name, clientAlias: alias }, 'a client has this model now');
  return {};
}
