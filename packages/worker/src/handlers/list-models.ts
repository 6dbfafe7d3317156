import type { Params, ResultInput } from '@model-rtc/protocol';
import { toModelEntry } from '@model-rtc/registry';
import { MAX_PAGE_BYTES } from '../limits.ts';
import { type Asker, knowsPartial, listWithPartials } from './partial-models.ts';
import type { HandlerContext } from './types.ts';

export async function listModels(
  services: HandlerContext,
  params: Params<'list_models'>,
  asker: Asker,
): Promise<ResultInput<'list_models'>> {
  const wholePage = async (wanted: Params<'list_models'>): Promise<ResultInput<'list_models'>> => {
    const page = await services.registry.list(wanted);
    const models = page.models.map(toModelEntry);
    const isTooLong = models.length > 1 && Buffer.byteLength(JSON.stringify(models)) > MAX_PAGE_BYTES;
    return isTooLong ? await wholePage({ ...wanted, limit: models.length >> 1 }) : { ...page, models };
  };
  return knowsPartial(asker) ? await listWithPartials(services, params, wholePage) : await wholePage(params);
}
