import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { openTestRegistry } from '../helpers/registry.ts';
import { writeFiles } from './folders.ts';

it('takes the same files when their originals changed: what was said of them is kept', async () => {
  const root = await writeFiles(await temporaryFolder(), {
    'm/config.json': '{}',
    'm/model.bin': 'weights',
    'm/run.sh': 'echo',
    'm/notes.txt': '',
    'vocab.txt': 'a b',
  });
  const folder = join(root, 'm');
  await symlink('../vocab.txt', join(folder, 'vocab.txt'));
  const registry = await openTestRegistry({ importSteps: undefined });
  const options = { include: ['*.sh'], exclude: ['notes.txt'], followLinks: true };
  const { entry } = await registry.importModel(folder, options);
  expect(entry).toMatchObject({ importedWith: options });
  await writeFile(join(folder, 'model.bin'), 'other weights');
  const { manifest, entry: changed } = await registry.refresh(entry.digest as Digest);
  expect(manifest.files.map(({ path }) => path)).toEqual(['config.json', 'model.bin', 'run.sh', 'vocab.txt']);
  expect(changed).toMatchObject({ importedWith: options });
});
