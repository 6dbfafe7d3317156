import { ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { RegistryIndex } from '../entry/types.ts';
import { removeModel } from '../manage/remove-model.ts';
import { type CatalogRow, catalogRows } from './catalog-items.ts';
import { toCatalogModel } from './catalog-model.ts';
import { createPages, toItem } from './catalog-page.ts';
import type { Plans } from './plan-file.ts';
import { createPlanStore } from './plan-store.ts';
import { addTaken, isFree, parsePlan, requireFree, takenIn, withPlan } from './register.ts';
import type { Catalog, CatalogAsker, CatalogItem } from './types.ts';

export function createCatalog(context: RegistryContext): Catalog {
  const { index, now } = context;
  const store = createPlanStore(context);
  const rowsOf = keptRows();
  const rows = async (): Promise<readonly CatalogRow[]> => rowsOf(await index.read(), await store.read());

  async function itemNamed(id: string): Promise<{ readonly row: CatalogRow; readonly item: CatalogItem }> {
    const row = (await rows()).find((one) => one.id === id);
    if (row === undefined) throw notInCatalog(id);
    return { row, item: await toItem(context, row) };
  }

  const registerModel: Catalog['registerModel'] = async (given, by = 'owner') => {
    const plan = parsePlan(given);
    const known = await index.read();
    await store.change((plans) => {
      requireFree(plan, takenIn(rowsOf(known, plans)));
      return { plans: withPlan(plans, plan, by, now()), result: undefined };
    });
    return (await itemNamed(plan.id)).item;
  };

  const registerModels: Catalog['registerModels'] = async (given) => {
    const known = await index.read();
    return await store.change((before) => {
      const taken = takenIn(rowsOf(known, before));
      const refused: string[] = [];
      let plans = before;
      for (const plan of given.map(parsePlan)) {
        if (!isFree(plan, taken)) refused.push(plan.id);
        else {
          plans = withPlan(plans, plan, 'owner', now());
          addTaken(taken, plan);
        }
      }
      return { plans, result: refused };
    });
  };

  const recordFetched: Catalog['recordFetched'] = async (id, { digest }) => {
    await store.change((plans) => {
      const plan = plans.get(id);
      const isKnown = plan === undefined || digest === undefined || plan.digest === digest;
      return { plans: isKnown ? plans : new Map([...plans, [id, { ...plan, digest }]]), result: undefined };
    });
    return (await itemNamed(id)).item;
  };

  const unregisterModel: Catalog['unregisterModel'] = async (id, { withFiles = false, needed } = {}, by = 'owner') => {
    const { row, item } = await itemNamed(id);
    requireRemovable(row, withFiles, by);
    // The model first: whoever is killed in between has a plan left, which says what was here.
    const key = withFiles ? (row.stored?.digest ?? row.stored?.id) : undefined;
    const removed = key === undefined ? undefined : await removeModel(context, key, { needed });
    await store.change((plans) => {
      const others = [...plans].filter(([other]) => other !== id);
      return { plans: others.length === plans.size ? plans : new Map(others), result: undefined };
    });
    return { item, ...(removed === undefined ? {} : { freedBytes: removed.freedBytes }) };
  };

  return {
    catalogPage: createPages(context, rows),
    catalogItem: async (id) => (await itemNamed(id)).item,
    catalogModel: toCatalogModel,
    ...{ registerModel, registerModels, recordFetched, unregisterModel },
  };
}

/** The same rows while neither list changes: a catalog is asked for page by page. */
function keptRows(): (index: RegistryIndex, plans: Plans) => readonly CatalogRow[] {
  let kept: { readonly index: RegistryIndex; readonly plans: Plans; readonly rows: readonly CatalogRow[] } | undefined;
  return (index, plans) => {
    if (kept?.index !== index || kept.plans !== plans) kept = { index, plans, rows: catalogRows(index, plans) };
    return kept.rows;
  };
}

/** @throws ModelRtcError `bad_argument` for a model that would stay, `refused` for a session that did not register it */
function requireRemovable({ id, plan, stored }: CatalogRow, withFiles: boolean, by: CatalogAsker): void {
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

function notInCatalog(id: string): ModelRtcError {
  const sentence = `The catalog has no model "${id}". See its ids: model-rtc catalog list`;
  return new ModelRtcError('not_found_locally', sentence, { details: { ref: id } });
}
