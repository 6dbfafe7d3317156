import type { Params, ResultInput } from '@model-rtc/protocol';
import { toModelEntry } from '@model-rtc/registry';
import { type Asker, knowsPartial, listWithPartials } from './partial-models.ts';
import type { HandlerContext } from './types.ts';

export async function listModels(
  services: HandlerContext,
  params: Params<'list_models'>,
  asker: Asker,
): Promise<ResultInput<'list_models'>> {
  const wholePage = async (wanted: Params<'list_models'>): Promise<ResultInput<'list_models'>> => {
    const page = await services.registry.list(wanted);
    return { ...page, models: page.models.map(toModelEntry) };
  };
  return knowsPartial(asker) ? await listWithPartials(services, params, wholePage) : await wholePage(params);
}
