import { expect, it } from '@jest/globals';
import { silentLog } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { CatalogFetches } from '../../src/handlers/fetch-model.ts';
import type { FetchFromHub, WantedFromHub } from '../../src/index.ts';
import { failure, importLinked, openTestRegistry } from '../support/registry.ts';

const context = { signal: new AbortController().signal };
const ASKED = { id: 'org/m', acceptLicense: true };

async function planned(): Promise<Registry> {
  const registry = await openTestRegistry();
  await registry.registerModel({ id: 'org/m', name: 'm', repo: 'org/m', revision: 'v1' });
  return registry;
}

function fetchesOf(registry: Registry, fetchFromHub?: FetchFromHub): CatalogFetches {
  return new CatalogFetches({ registry, log: silentLog, fresh: undefined as never, fetchFromHub });
}

it('is refused where the owner allows none of it', async () => {
  const error = await failure(fetchesOf(await planned()).fetch(ASKED, context));
  expect([error.code, error.message]).toEqual(['refused', expect.stringContaining('--from-hub auto')]);
});

it('fetches what is registered, once, and keeps it under its id', async () => {
  const registry = await planned();
  const wanted: WantedFromHub[] = [];
  const fetches = fetchesOf(registry, async (asked) => {
    wanted.push(asked);
    return await importLinked(registry, 'weights', 'fetched');
  });
  const { model } = await fetches.fetch(ASKED, context);
  expect(model).toMatchObject({ id: 'org/m', downloaded: true, backends: ['cpu'], metadata: { alias: 'fetched' } });
  expect((await fetches.fetch(ASKED, context)).model).toEqual(model);
  expect(wanted).toEqual([{ repo: 'org/m', revision: 'v1', acceptLicense: true, signal: context.signal }]);
  expect((await failure(fetches.fetch({ ...ASKED, id: 'org/other' }, context))).code).toBe('not_found_locally');
});

it('fetches one at a time, and the next one after a failure', async () => {
  const registry = await planned();
  const ends: ((error: Error) => void)[] = [];
  const fetches = fetchesOf(registry, async () => await new Promise<RegistryEntry>((_, reject) => ends.push(reject)));
  const first = failure(fetches.fetch(ASKED, context));
  while (ends.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect((await failure(fetches.fetch(ASKED, context))).code).toBe('busy');
  ends[0]?.(new Error('the hub is gone'));
  expect((await first).message).toBe('the hub is gone');
  const next = failure(fetches.fetch(ASKED, context));
  while (ends.length < 2) await new Promise((resolve) => setImmediate(resolve));
  ends[1]?.(new Error('again'));
  expect((await next).message).toBe('again');
});
