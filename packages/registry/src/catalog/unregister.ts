import { ModelRtcError } from '@model-rtc/protocol';
import type { CatalogRow } from './catalog-items.ts';
import type { CatalogAsker } from './types.ts';

/** @throws ModelRtcError `bad_argument` for a model that would stay, `refused` for a session that did not register it */
export function requireRemovable({ id, plan, stored }: CatalogRow, withFiles: boolean, by: CatalogAsker): void {
  if (plan === undefined && stored !== undefined && by === 'session') throw ofOwner(id);
  if (plan !== undefined && plan.bySession !== true && by === 'session') throw ofOwner(id);
  if (plan !== undefined || withFiles) return;
  const sentence = `"${id}" is a model that is here, not only registered. Pass --with-files to delete it with its files.`;
  throw new ModelRtcError('bad_argument', sentence, { details: { id } });
}

function ofOwner(id: string): ModelRtcError {
  const sentence = `"${id}" belongs to the worker's owner: a session can only unregister what was registered over a session. Ask the owner.`;
  return new ModelRtcError('refused', sentence, { details: { id } });
}

export function notInCatalog(id: string): ModelRtcError {
  const sentence = `The catalog has no model "${id}". See its ids: model-rtc catalog list`;
  return new ModelRtcError('not_found_locally', sentence, { details: { ref: id } });
}
