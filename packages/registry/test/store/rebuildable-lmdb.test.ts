import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { openSoundLmdb } from '../../src/store/rebuildable-lmdb.ts';

it('opens tables in a folder that nobody has made yet, such as the one of meshes before a machine joins one', async () => {
  const meshes = join(await temporaryFolder(), 'mesh');
  const root = await openSoundLmdb(
    join(meshes, 'cache'),
    (tables) => tables,
    () => undefined,
  );
  await root.put('a', 'b');
  expect(root.get('a')).toBe('b');
  await root.close();
  if (process.platform !== 'win32') expect((await stat(meshes)).mode & 0o777).toBe(0o700);
});

/** Opens the tables of a folder. @returns with why they were thrown away, if they were */
async function opened(folder: string) {
  let reset: unknown;
  const root = await openSoundLmdb(
    folder,
    (tables) => tables,
    (cause) => {
      reset = cause;
    },
  );
  return { root, reset };
}

it.each([
  ['keeps', 3, undefined],
  ['throws away', 50, expect.objectContaining({ message: expect.stringMatching(/cut short, to \d+ of \d+ pages/) })],
])('%s tables whose file lacks %i of the pages that it counts', async (_how, more, why) => {
  const folder = join(await temporaryFolder(), 'cache');
  const { root } = await opened(folder);
  await root.put('a', 'b');
  await root.close();
  // Where a meta page says which page is the last: see `MDB_meta` in LMDB's mdb.c.
  const file = await open(join(folder, 'data.mdb'), 'r+');
  for (const at of [0x90, 4096 + 0x90]) {
    const number = Buffer.alloc(8);
    await file.read(number, 0, 8, at);
    number.writeBigUInt64LE(number.readBigUInt64LE() + BigInt(more));
    await file.write(number, 0, 8, at);
  }
  await file.close();
  const again = await opened(folder);
  expect(again.reset).toEqual(why);
  expect(again.root.get('a')).toBe(why === undefined ? 'b' : undefined);
  await again.root.close();
});
