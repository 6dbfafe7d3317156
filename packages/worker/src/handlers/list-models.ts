import { modelPageSchema, type Params, type ResultInput, roughSize } from '@model-rtc/protocol';
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
    // As `toModelEntry` does, and the answer's own check does not look at a list again that its schema gave.
    const models = modelPageSchema.parse(page.models);
    const isTooLong = models.length > 1 && roughSize(models) > MAX_PAGE_BYTES;
    return isTooLong ? await wholePage({ ...wanted, limit: models.length >> 1 }) : { ...page, models };
  };
  return knowsPartial(asker) ? await listWithPartials(services, params, wholePage) : await wholePage(params);
}
