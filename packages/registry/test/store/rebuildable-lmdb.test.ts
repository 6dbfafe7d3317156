import { stat } from 'node:fs/promises';
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
