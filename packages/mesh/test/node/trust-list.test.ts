import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { TrustList } from '../../src/node/records/trust-list.ts';
import { JsonFile } from '../../src/node/state/json-file.ts';
import { trustFileSchema } from '../../src/node/state/mesh-folders.ts';

const [ANNA, BEN] = ['a', 'b'].map((letter) => letter.repeat(64)) as [string, string];

it('takes in whom another process distrusts, and says only then that something changed', async () => {
  const path = join(await temporaryFolder(), 'trust.json');
  const open = () => new JsonFile({ path, schema: trustFileSchema, empty: { distrusted: [] } });
  const list = new TrustList(open());
  await list.reload();
  expect([list.isTrusted(ANNA), list.isTrusted(BEN)]).toEqual([true, true]);
  expect(await list.reload()).toBe(false);
  const since = '2026-01-01T00:00:00.000Z';
  await open().update(() => ({ distrusted: [{ key: BEN, name: 'ben', since }] }));
  expect(await list.reload()).toBe(true);
  expect([list.isTrusted(ANNA), list.isTrusted(BEN)]).toEqual([true, false]);
  expect(await list.reload()).toBe(false);
  await open().update(() => ({ distrusted: [] }));
  expect(await list.reload()).toBe(true);
  expect(list.isTrusted(BEN)).toBe(true);
});
