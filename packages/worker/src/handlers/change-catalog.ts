import type { Params, ResultInput } from '@model-rtc/protocol';
import { hardwareOf } from './list-catalog.ts';
import type { HandlerOptions } from './types.ts';

/** Registers a model that nobody has fetched yet, in the name of a session. */
export async function registerModel(
  services: HandlerOptions,
  params: Params<'register_model'>,
): Promise<ResultInput<'register_model'>> {
  const item = await services.registry.registerModel(params, 'session');
  return { model: services.registry.catalogModel(item, await hardwareOf(services)) };
}

/** Forgets what was registered over a session. It deletes no model: that is for the owner. */
export async function unregisterModel(
  services: HandlerOptions,
  { id }: Params<'unregister_model'>,
): Promise<ResultInput<'unregister_model'>> {
  const { item } = await services.registry.unregisterModel(id, {}, 'session');
  return { model: services.registry.catalogModel(item, await hardwareOf(services)) };
}
