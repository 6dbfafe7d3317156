import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { manifestDigest } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { entryOf, installFiles, manifestOf, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = {
  'net.param': '7767517\n',
  'net.xyz': 'weights',
  'labels.txt': 'a',
  'run.log': 'l',
  '.cfg/a.json': '{}',
  'go.sh': 'x',
};
const importing = async () => await openTestRegistry({ importSteps: undefined });

describe('a folder that is taken as it is', () => {
  it('is refused without being asked for, with how to ask for it', async () => {
    const registry = await importing();
    const error = await rejection(registry.importModel(await writeFiles(await temporaryFolder(), FILES)));
    expect(error).toMatchObject({ code: 'bad_argument', message: expect.stringContaining('--as-is') });
  });

  it('is there whole, but for what --exclude names, and again when it is imported again', async () => {
    const registry = await importing();
    const folder = await writeFiles(await temporaryFolder(), FILES);
    const options = { asIs: true, modelType: 'ncnn', exclude: ['*.sh'] };
    const { entry, manifest } = await registry.importModel(folder, options);
    expect(manifest.files.map(({ path }) => path)).toEqual([
      '.cfg/a.json',
      'labels.txt',
      'net.param',
      'net.xyz',
      'run.log',
    ]);
    expect(entry).toMatchObject({ modelType: 'ncnn', framework: 'as-is', checkpointPath: undefined });
    const again = await registry.refresh(manifestDigest(manifest));
    expect(again.manifest.files).toHaveLength(5);
  });

  it('may run code when its formats are not known, which --safe-only refuses, also where it arrives', async () => {
    const registry = await importing();
    const folder = await writeFiles(await temporaryFolder(), FILES);
    const { entry } = await registry.importModel(folder, { asIs: true, exclude: ['*.sh'] });
    const unknown = (entry.codeFiles ?? []).filter(({ unexamined }) => unexamined).map(({ path }) => path);
    expect(unknown).toEqual(['net.param', 'net.xyz']);
    const refused = await rejection(registry.importModel(folder, { asIs: true, safeOnly: true, exclude: ['*.sh'] }));
    expect(refused).toMatchObject({ code: 'refused' });
    const other = await openTestRegistry();
    const files = { 'net.xyz': 'weights' };
    const sent = entryOf(manifestOf(files), { framework: 'as-is' });
    expect((await installFiles(other, files, { entry: sent })).codeFiles).toMatchObject([{ path: 'net.xyz' }]);
  });

  it('is data alone where every file is of a kind that is known', async () => {
    const registry = await importing();
    const folder = await writeFiles(await temporaryFolder(), { 'a.tflite': 'x', 'labels.txt': 'a' });
    expect((await registry.importModel(folder, { asIs: true, safeOnly: true })).entry.codeFiles).toEqual([]);
  });
});

describe('an archive of a model', () => {
  it.each([
    ['mouse.zip', /unzip \S+mouse.zip -d \S+mouse && model-rtc client import-model \S+mouse\./],
    ['a mouse.tar.gz', /mkdir -p '.*a mouse' && tar -xf '.*a mouse.tar.gz' -C '.*a mouse' && /],
  ])('%s is refused with the commands that unpack and import it, and taken as it is', async (name, expected) => {
    const registry = await importing();
    const folder = await writeFiles(await temporaryFolder(), { [name]: 'PK' });
    for (const path of [folder, join(folder, name)]) {
      expect(await rejection(registry.importModel(path))).toMatchObject({
        code: 'bad_argument',
        message: expect.stringMatching(expected),
      });
    }
    const { entry } = await registry.importModel(join(folder, name), { asIs: true });
    expect(entry.checkpointPath).toBe(name);
    expect(await readFile(join(entry.localPath, name), 'utf8')).toBe('PK');
  });
});
