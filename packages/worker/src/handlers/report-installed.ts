import type { Params, ResultInput } from '@model-rtc/protocol';
import type { RequestContext } from '@model-rtc/transport';
import type { HandlerOptions } from './types.ts';

/**
 * Logs that a client says it has a model now, and what the model is called there. It is only logged, since clients have no
 * identity under which it could be stored.
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
