import { type Backend, type Params, type ResultInput, roughSize } from '@model-rtc/protocol';
import { MAX_PAGE_BYTES } from '../limits.ts';
import type { HandlerOptions } from './types.ts';

const CPU_ALONE: ReadonlySet<Backend> = new Set(['cpu']);

export async function hardwareOf({ hardware }: HandlerOptions): Promise<ReadonlySet<Backend>> {
  return (await hardware?.()) ?? CPU_ALONE;
}

/** A page of the catalog as the owner sees it; a shorter one where it would be too long. */
export async function listCatalog(
  services: HandlerOptions,
  { cursor, limit }: Params<'list_catalog'>,
): Promise<ResultInput<'list_catalog'>> {
  const hardware = await hardwareOf(services);
  const page = await services.registry.catalogPage({ cursor, limit, hardware });
  const isTooLong = page.models.length > 1 && roughSize(page.models) > MAX_PAGE_BYTES;
  return isTooLong ? await listCatalog(services, { cursor, limit: page.models.length >> 1 }) : page;
}
