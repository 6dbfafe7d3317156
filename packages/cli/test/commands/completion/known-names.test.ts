import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Completes } from '../../../src/command-line/types.ts';
import { knownNames } from '../../../src/commands/completion/known-names.ts';

let home = '';

async function write(path: string, content: unknown): Promise<void> {
  await mkdir(join(home, path, '..'), { recursive: true });
  await writeFile(join(home, path), typeof content === 'string' ? content : JSON.stringify(content));
}

async function valuesOf(kind: Completes): Promise<string[]> {
  return (await knownNames(kind, home)).map(({ value }) => value);
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'known-names-'));
});
afterEach(async () => await rm(home, { recursive: true, force: true }));

describe('the names that this machine knows', () => {
  it('are aliases before ids, saved workers, and what workers had', async () => {
    const models = {
      '4f1c22ab': { id: '4f1c22ab' },
      '00000001': { id: '00000001', alias: 'mouse', modelType: 'bottomup' },
    };
    await write('models/registry.json', { version: 2, models });
    await write('config.json', { workers: { lab: { session: 'mrtc1_secret' } }, settings: {} });
    await write('workers/aaaaaaaa.json', { models: { x: { entry: { id: '00000002', alias: 'rat' } } } });
    expect(await valuesOf('models')).toEqual(['mouse', '4f1c22ab', '00000001']);
    expect(await valuesOf('aliases')).toEqual(['mouse']);
    expect(await valuesOf('remote-models')).toEqual(['rat', '00000002', 'mouse', '4f1c22ab', '00000001']);
    expect(await valuesOf('workers')).toEqual(['lab']);
  });

  it('are meshes and their nodes, with dots as machines have them, and nothing that a shell would run', async () => {
    const members = [{ name: 'gpu.lab.example' }, { name: '$(rm)' }, { name: '-x' }, {}];
    await write('mesh/lab.example-0a0a0a0a/mesh.json', { name: 'lab.example' });
    await write('mesh/lab.example-0a0a0a0a/members.json', { members });
    await write('mesh/bad-0c0c0c0c/mesh.json', { name: 'a b' });
    expect([await valuesOf('meshes'), await valuesOf('mesh-nodes')]).toEqual([['lab.example'], ['gpu.lab.example']]);
  });

  it('are the prefetch rules of all meshes, without what a person broke', async () => {
    await write('mesh/lab-0a0a0a0a/prefetch.json', { rules: [{ id: '3fa9', tag: 'mouse' }, { id: '$(rm)' }, 7] });
    await write('mesh/home-0b0b0b0b/prefetch.json', { rules: [{ id: '00aa' }] });
    await write('mesh/bad-0c0c0c0c/prefetch.json', '{');
    expect((await valuesOf('prefetch-rules')).sort()).toEqual(['00aa', '3fa9']);
  });

  it('are models and versions of registries: installed ones, and those that a registry listed when it was last read', async () => {
    const releases = [{ group: 'lab', model: 'mouse', version: '1.0' }];
    await write('models/registry.json', { version: 2, models: { x: { id: '4f1c22ab', releases } } });
    await write('followed-versions.json', [{ group: 'lab', model: 'mouse', alias: 'latest', version: '1.0' }]);
    const list = {
      lab: { mouse: { '2.0': { hash: 'x' } }, rat: { $: {}, ok: { alias: '1' } } },
      'a b': { c: { d: {} } },
    };
    await write('registries/aaaa.json', { url: 'u', etag: 'e', text: JSON.stringify(list) });
    await write('registries/damaged.json', { text: '{' });
    expect(await valuesOf('releases')).toEqual(['lab/mouse']);
    expect(await valuesOf('listed-releases')).toEqual(['lab/mouse', 'lab/rat']);
    const versions = async (kind: Completes, model: string) =>
      (await knownNames(kind, home, ['x', model])).map(({ value }) => value);
    expect(await versions('release-versions', 'lab/mouse')).toEqual(['1.0', 'latest']);
    expect(await versions('listed-release-versions', 'lab/mouse')).toEqual(['1.0', 'latest', '2.0']);
    expect(await versions('listed-release-versions', 'lab/rat')).toEqual(['ok']);
    expect(await valuesOf('models')).toEqual(['4f1c22ab', 'lab/mouse@1.0']);
  });

  it('are ids of the catalog, those with a slash before all others', async () => {
    await write('catalog.json', {
      version: 1,
      planned: [{ id: 'org/m.1' }, { id: 'org/$(reboot)' }, { id: '../x;y' }, 7],
    });
    await write('models/registry.json', { version: 2, models: { '4f1c22ab': { id: '4f1c22ab', alias: 'mouse' } } });
    expect(await valuesOf('catalog-ids')).toEqual(['org/m.1', 'mouse', '4f1c22ab']);
  });

  it('leave out whatever a shell would run', async () => {
    const entry = { id: '$(reboot)', alias: 'a;b', modelType: '`x`' };
    await write('workers/aaaaaaaa.json', { models: { x: { entry } } });
    await write('config.json', { workers: { "it's": {} } });
    expect(await knownNames('remote-models', home)).toEqual([]);
    expect(await valuesOf('workers')).toEqual([]);
  });

  it.each(['models', 'workers', 'remote-models', 'catalog-ids', 'listed-releases', 'release-versions'] as const)(
    'are none of %s where a file is damaged or absent',
    async (kind) => {
      expect(await valuesOf(kind)).toEqual([]);
      expect(await readdir(home)).toEqual([]);
      for (const content of ['{"models": {', 'null', '{"models": [1], "workers": "x"}']) {
        for (const path of ['models/registry.json', 'config.json', 'workers/aaaaaaaa.json']) await write(path, content);
        expect(await valuesOf(kind)).toEqual([]);
      }
    },
  );
});
