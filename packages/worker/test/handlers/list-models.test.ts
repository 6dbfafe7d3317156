import { expect, it } from '@jest/globals';
import type { Params } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { listModels } from '../../src/handlers/list-models.ts';
import { MAX_PAGE_BYTES } from '../../src/limits.ts';

type Listed = Params<'list_models'>;
/** An asker of a version that knows nothing of models that are only partly there. */
const ASKER = { peer: { remote: { capabilities: [] } } } as never;

/** A registry of these entries; its cursor is the number of the next one. */
function registryOf(entries: readonly object[]): Pick<Registry, 'list'> {
  return {
    list: async ({ cursor = '0', limit }: Listed) => {
      const end = Number(cursor) + limit;
      const models = entries.slice(Number(cursor), end) as never[];
      return { models, total: entries.length, ...(end < entries.length && { nextCursor: String(end) }) };
    },
  };
}

const entryOf = (id: number, more: object) => ({
  ...{ id: `model${id}`, modelType: 'gguf', source: 'local-import', status: 'completed', size: 1, fileCount: 1 },
  ...{ metrics: {}, hyperparameters: {}, versions: {}, tags: [] },
  ...more,
});

it('makes a page of long entries shorter, and leaves none out', async () => {
  const services = {
    registry: registryOf(Array.from({ length: 150 }, (_, id) => entryOf(id, { notes: 'n'.repeat(60_000) }))),
  } as never;
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listModels(services, { filters: {}, sort: 'date', limit: 200, cursor }, ASKER);
    expect(JSON.stringify(page.models).length).toBeLessThanOrEqual(MAX_PAGE_BYTES);
    ids.push(...page.models.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(ids).toEqual(Array.from({ length: 150 }, (_, id) => `model${id}`));
});

it('gives a single entry whole, however long it is', async () => {
  const hyperparameters = Object.fromEntries(Array.from({ length: 1_100 }, (_, n) => [`p${n}`, 'x'.repeat(4_000)]));
  const services = { registry: registryOf([entryOf(0, { hyperparameters }), entryOf(1, {})]) } as never;
  const page = await listModels(services, { filters: {}, sort: 'date', limit: 2 }, ASKER);
  expect(page).toMatchObject({ models: [{ id: 'model0' }], nextCursor: '1' });
});
