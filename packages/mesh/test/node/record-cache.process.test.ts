import { expect, it } from '@jest/globals';
import { startChild } from '../../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';

const CHILD = new URL('../children/damaged-cache.ts', import.meta.url);
/** What LMDB takes for a value, and its tables do not: half a map, text where a record belongs, a beat that counts backwards. */
const DAMAGES = [
  ['records', '83a5627974'],
  ['records', 'a3616263'],
  ['beats', '83a873657175656e6365ffa5696e64657800a576616c7565c403616263'],
  ['meta', 'a3616263'],
] as const;

it.each(DAMAGES)(
  'a cache with a damaged value in its %s is thrown away as a whole',
  async (table, hex) => {
    const child = startChild(CHILD, [await temporaryFolder(), table, hex]);
    const { code, output } = await child.ended;
    expect([code, output.trim().split('\n')]).toEqual([0, ['0 records, 1 warnings', '1 records, 1 warnings']]);
  },
  60_000,
);

it('a cache that is closed keeps what was written before, and takes and gives nothing from then on, without ending the process', async () => {
  const child = startChild(new URL('../children/closed-cache.ts', import.meta.url), [await temporaryFolder()]);
  expect(await child.ended).toEqual({ code: 0, signal: null, output: '0,0,0,0,,0 a/one a/two done\n' });
}, 60_000);
