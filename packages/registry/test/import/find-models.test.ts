import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { findModels } from '../../src/import/find-models.ts';
import { scanModel } from '../../src/import/scan-model.ts';
import { failureOf, writeFiles } from './folders.ts';

const [MAIN, OLD] = ['a'.repeat(40), 'b'.repeat(40)] as const;

/** A repository of a hub's cache, with its files as links to blobs. */
async function repository(cache: string, name: string, snapshots: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(cache, `models--org--${name}`);
  await writeFiles(folder, { 'refs/main': MAIN, 'blobs/config': '{}' });
  for (const [commit, weights] of Object.entries(snapshots)) {
    await writeFiles(folder, { [`blobs/${weights}`]: weights });
    await mkdir(join(folder, 'snapshots', commit), { recursive: true });
    await symlink(`../../blobs/${weights}`, join(folder, 'snapshots', commit, 'model.bin'));
    await symlink('../../blobs/config', join(folder, 'snapshots', commit, 'config.json'));
  }
  return folder;
}

async function namesAt(path: string): Promise<Record<string, string>> {
  return Object.fromEntries((await findModels(path)).map((model) => [model.path, model.name]));
}

describe('a folder of models', () => {
  it('lists each, also one that cannot be imported', async () => {
    const root = await writeFiles(await temporaryFolder(), {
      'one/config.json': '{}',
      'one/model.bin': 'x',
      'two/config.json': '{}',
      'notes.txt': '',
    });
    await symlink('/etc/hostname', join(root, 'two/model.bin'));
    expect(await namesAt(root)).toEqual({ one: 'one', two: 'two' });
  });

  it('is empty for one model, for one file and for none', async () => {
    const root = await writeFiles(await temporaryFolder(), { 'm/model.bin': 'x', 'none/notes.txt': '' });
    for (const path of ['m', 'm/model.bin', 'none']) expect(await findModels(join(root, path))).toEqual([]);
  });
});

describe("a hub's cache", () => {
  it('of one repository means its snapshot, once, by the name of the repository', async () => {
    const cache = await temporaryFolder();
    const folder = await repository(cache, 'tiny', { [MAIN]: 'one' });
    const snapshot = join(folder, 'snapshots', MAIN);
    for (const path of [folder, cache, snapshot]) {
      const { files, suggestedAlias, movedTo = path } = await scanModel(path);
      expect(files.map((file) => file.path)).toEqual(['config.json', 'model.bin']);
      expect({ suggestedAlias, movedTo }).toEqual({ suggestedAlias: 'tiny', movedTo: snapshot });
    }
  });

  it('of several repositories lists a snapshot of each, and is not merged', async () => {
    const cache = await temporaryFolder();
    for (const name of ['tiny', 'large']) await repository(cache, name, { [MAIN]: name });
    expect(await namesAt(cache)).toEqual({
      [`models--org--large/snapshots/${MAIN}`]: 'large',
      [`models--org--tiny/snapshots/${MAIN}`]: 'tiny',
    });
    expect((await failureOf(scanModel(cache))).message).toMatch(/holds several models/);
    expect((await failureOf(scanModel(cache, { asOne: true }))).message).toMatch(/cannot be taken as one/);
  });

  it('with two revisions of a repository has two models, and --revision names one', async () => {
    const folder = await repository(await temporaryFolder(), 'tiny', { [MAIN]: 'new', [OLD]: 'old' });
    expect(await namesAt(folder)).toEqual({ [`snapshots/${MAIN}`]: 'tiny', [`snapshots/${OLD}`]: 'tiny-bbbbbbbb' });
    const failure = await failureOf(scanModel(folder));
    expect(failure).toMatchObject({ code: 'bad_argument', message: expect.stringContaining('--revision') });
    for (const [revision, commit, name] of [
      ['main', MAIN, 'tiny'],
      [OLD.slice(0, 8), OLD, 'tiny-bbbbbbbb'],
    ] as const) {
      const { movedTo, suggestedAlias } = await scanModel(folder, { revision });
      expect({ movedTo, suggestedAlias }).toEqual({ movedTo: join(folder, 'snapshots', commit), suggestedAlias: name });
    }
    expect((await failureOf(scanModel(folder, { revision: 'v9' }))).message).toContain('that is there: main, bbbb');
  });

  it('lists each quantisation that a repository holds', async () => {
    const cache = await temporaryFolder();
    await repository(cache, 'tiny', { [MAIN]: 'one' });
    const quants = join(cache, 'models--org--q', 'snapshots', MAIN);
    await writeFiles(quants, { 'q-Q4.gguf': '4', 'q-Q8.gguf': '8' });
    expect(Object.values(await namesAt(cache))).toEqual(['q-Q4', 'q-Q8', 'tiny']);
  });

  it('says that a revision is of no use elsewhere', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'model.bin': 'x' });
    expect((await failureOf(scanModel(folder, { revision: 'main' }))).message).toMatch(/--revision names a version/);
  });
});
