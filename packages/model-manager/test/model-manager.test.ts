import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sha256, temporaryFolder } from '../../../test/support/registry-folder.ts';
import { isModelError, ModelManager, ModelManagerError, type PullProgress } from '../src/index.ts';
import { LARGER, registryScene, TINY } from './support/registry-scene.ts';

const FP16 = 'fast-whisper/tiny@fp16';

async function kindOf(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ModelManagerError);
  return (error as ModelManagerError).kind;
}

/** Hashes, which are compared sooner than bytes. */
async function filesAt(path: string): Promise<Record<string, string>> {
  const names = Object.keys(TINY);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, sha256(await readFile(join(path, name)))])),
  );
}

function hashesOf(files: Readonly<Record<string, Buffer>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)]));
}

describe('a pull', () => {
  it('installs a version whole, says how far it is, and where it is then', async () => {
    const scene = await registryScene();
    const manager = await scene.manager();
    const told: PullProgress[] = [];
    const { model, outcome } = await manager.pull(FP16, { onProgress: (progress) => told.push(progress) });
    expect(outcome).toBe('installed');
    expect(model).toMatchObject({
      group: 'fast-whisper',
      model: 'tiny',
      version: 'fp16',
      license: 'MIT',
      isWhole: true,
    });
    expect(await filesAt(await manager.path(FP16))).toEqual(hashesOf(TINY));
    expect(model.path.startsWith(join(manager.dataDir, 'models'))).toBe(true);
    expect(told[0]).toEqual({ type: 'manifest' });
    expect(told[1]).toMatchObject({ type: 'found', totalBytes: model.size, totalChunks: 4 });
    expect(told.at(-1)).toMatchObject({ type: 'transfer', doneChunks: 4, totalChunks: 4, doneBytes: model.size });
    expect(await manager.listInstalled()).toEqual([model]);
  });

  it('refuses a version that is installed without asking the registry, and verifies it with force', async () => {
    const scene = await registryScene();
    const manager = await scene.manager();
    await manager.pull(FP16);
    const asked = scene.server.asked.length;
    expect(await kindOf(manager.pull(FP16))).toBe('already_installed');
    expect(scene.server.asked.length).toBe(asked);
    const { model } = await manager.pull(FP16, { force: true });
    expect(await filesAt(model.path)).toEqual(hashesOf(TINY));
  });

  it('brings back what was damaged on the disk', async () => {
    const scene = await registryScene();
    const manager = await scene.manager();
    const { model } = await manager.pull(FP16);
    await rm(join(model.path, 'config.json'));
    expect(await manager.getInstalled(FP16)).toMatchObject({ isWhole: false });
    await manager.pull(FP16);
    expect(await filesAt(model.path)).toEqual(hashesOf(TINY));
  });

  it('of one version runs once, however many ask for it at the same time', async () => {
    const scene = await registryScene();
    const home = join(await temporaryFolder(), 'home');
    const managers = [await scene.manager(home), await scene.manager(home), await scene.manager(home)];
    const results = await Promise.all(managers.flatMap((manager) => [manager.pull(FP16), manager.pull(FP16)]));
    expect(new Set(results.map(({ model }) => model.path)).size).toBe(1);
    expect(results.filter(({ outcome }) => outcome === 'installed')).toHaveLength(1);
    const { hash } = await (await scene.manager()).getRemote(FP16);
    const asked = scene.server.asked.filter(({ path }) => path.startsWith('data/') && path !== `data/${hash}`);
    expect(asked).toHaveLength(new Set(asked.map(({ path }) => path)).size);
  });

  it('of several versions at once installs them all, in one manager and while it is asked other things', async () => {
    const scene = await registryScene();
    for (const version of ['a', 'b', 'c']) {
      await scene.publish(['lab', 'mouse', version], { 'w.bin': Buffer.alloc(1000, version) });
    }
    const manager = await scene.manager();
    await Promise.all([
      ...['a', 'b', 'c'].map((version) => manager.pull({ group: 'lab', model: 'mouse', version })),
      ...[1, 2, 3].map(() => manager.listInstalled()),
      manager.listRemote(),
    ]);
    expect((await manager.listInstalled()).map(({ version }) => version)).toEqual(['a', 'b', 'c']);
  });

  it('keeps the old content of a version usable until the new one is whole', async () => {
    const scene = await registryScene();
    const manager = await scene.manager();
    const before = await manager.pull(FP16);
    await scene.publish(['fast-whisper', 'tiny', 'fp16'], LARGER);
    scene.server.misbehave = async (asked) => {
      if (asked.path.startsWith('data/')) expect(await filesAt(before.model.path)).toEqual(hashesOf(TINY));
      return false;
    };
    const after = await manager.pull(FP16, { force: true });
    expect(after.model.path).toBe(before.model.path);
    expect(await filesAt(after.model.path)).toEqual(hashesOf(LARGER));
    expect(await manager.listInstalled()).toHaveLength(1);
  });

  it('ends by its signal, and leaves nothing that is half there', async () => {
    const scene = await registryScene();
    const manager = await scene.manager();
    const abort = new AbortController();
    const pulled = manager.pull(FP16, {
      signal: abort.signal,
      onProgress: ({ type }) => {
        if (type === 'transfer') abort.abort();
      },
    });
    expect(await kindOf(pulled)).toBe('cancelled');
    expect(await manager.listInstalled()).toEqual([]);
    await manager.pull(FP16);
  });

  it('goes on after an error with other names of the same files', async () => {
    const scene = await registryScene();
    await scene.publish(['fast-whisper', 'tiny', 'copy']);
    const manager = await scene.manager();
    const first = await manager.pull(FP16);
    const second = await manager.pull('fast-whisper/tiny@copy');
    expect(second).toMatchObject({ outcome: 'already_there', transferredBytes: 0, model: { path: first.model.path } });
    expect(await manager.remove(FP16)).toMatchObject({ freedBytes: 0, kept: [{ version: 'fp16' }] });
    expect(await filesAt(second.model.path)).toEqual(hashesOf(TINY));
    expect((await manager.removeAll('fast-whisper/tiny')).freedBytes).toBeGreaterThan(0);
    expect(await manager.listInstalled()).toEqual([]);
  });
});

describe('errors', () => {
  it('say by their kind what went wrong', async () => {
    const scene = await registryScene();
    const manager = await scene.manager();
    expect(await kindOf(manager.pull('nobody/tiny@fp16'))).toBe('model_not_found');
    expect(await kindOf(manager.pull('fast-whisper/huge@fp16'))).toBe('model_not_found');
    expect(await kindOf(manager.listRemoteGroup('nobody'))).toBe('model_not_found');
    expect(await kindOf(manager.listRemoteVersions('fast-whisper/huge'))).toBe('model_not_found');
    expect(await kindOf(manager.pull('fast-whisper/tiny@fp8'))).toBe('version_not_found');
    expect(await kindOf(manager.getRemote('fast-whisper/tiny@fp8'))).toBe('version_not_found');
    expect(await kindOf(manager.path(FP16))).toBe('not_installed');
    expect(await kindOf(manager.remove(FP16))).toBe('not_installed');
    expect(await kindOf(manager.removeAll('fast-whisper/tiny'))).toBe('not_installed');
    for (const ref of [
      'tiny',
      'fast-whisper/tiny',
      '/tiny@1',
      'a/@1',
      'a/b@',
      'a/b@\u001b[2J',
      `a/b@${'x'.repeat(200)}`,
    ]) {
      expect(await kindOf(manager.pull(ref))).toBe('invalid_reference');
    }
    expect(await kindOf(manager.pull(FP16, { concurrency: 17 }))).toBe('invalid_reference');
    expect(await kindOf((await scene.manager(undefined, { registryUrl: undefined })).listRemote())).toBe(
      'invalid_reference',
    );
    const gone = await scene.manager(undefined, { registryUrl: 'http://127.0.0.1:1/models' });
    expect(await kindOf(gone.listRemote())).toBe('network');
    await writeFile(join(scene.folder, 'file'), '');
    expect(await kindOf((await scene.manager(join(scene.folder, 'file', 'home'))).listInstalled())).toBe('storage');
  });

  it('say that a registry or its bytes are not what they should be', async () => {
    const scene = await registryScene();
    const manager = await scene.manager();
    const [data] = (await readdir(join(scene.folder, 'data'))).slice(0, 1);
    expect(data).toBeDefined();
    const { hash } = await manager.getRemote(FP16);
    await writeFile(join(scene.folder, 'data', hash as string), '{}');
    expect(await kindOf((await scene.manager()).getRemoteDetail(FP16))).toBe('hash_mismatch');
    await writeFile(join(scene.folder, 'models.json'), '[]');
    expect(await kindOf((await scene.manager()).listRemote())).toBe('registry_invalid');
    await rm(join(scene.folder, 'models.json'));
    expect(await kindOf((await scene.manager()).listRemote())).toBe('registry_invalid');
    const error = new ModelManagerError('network', 'network', 'x');
    expect([isModelError(error), isModelError(error, 'network'), isModelError(error, 'storage')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('of a program that cannot be a folder come at once', () => {
    for (const appName of ['', '../x', 'a/b', 'CON', 'x.', '-x']) {
      expect(() => new ModelManager({ appName })).toThrow(ModelManagerError);
    }
  });
});

describe('what a registry lists', () => {
  it('has every version with what is installed of it, aliases included', async () => {
    const scene = await registryScene();
    await scene.alias('latest', 'fp16');
    await scene.alias('broken', 'nowhere');
    const manager = await scene.manager();
    await manager.pull(FP16);
    const versions = await manager.listRemoteVersions('fast-whisper/tiny');
    expect(versions.map(({ version, aliasOf, installed }) => [version, aliasOf, installed?.version])).toEqual([
      ['fp16', undefined, 'fp16'],
      ['latest', 'fp16', 'fp16'],
      ['broken', 'nowhere', undefined],
    ]);
    expect(await manager.listRemote()).toEqual(versions);
    expect(await manager.listRemoteGroup('fast-whisper')).toEqual(versions);
    const detail = await manager.getRemoteDetail('fast-whisper/tiny@latest');
    expect(detail).toMatchObject({ version: 'latest', aliasOf: 'fp16', chunkCount: 4, metadata: { license: 'MIT' } });
    expect(detail.files.map(({ path }) => path)).toEqual(Object.keys(TINY));
  });

  it('may have names of other tools, and those of every object', async () => {
    const scene = await registryScene();
    const names = [
      ['my group', 'größe', '1 beta'],
      ['constructor', '__proto__', 'toString'],
      ['..', '..', '..'],
      ['a@b', 'c/d', 'e@f'],
      ['CON', 'aux', 'nul.'],
    ] as const;
    for (const name of names) await scene.publish(name, { 'w.bin': Buffer.from(name.join()) });
    const manager = await scene.manager();
    const home = await readdir(join(manager.dataDir, '..'));
    for (const [group, model, version] of names) {
      const { model: installed } = await manager.pull({ group, model, version });
      expect(await readFile(join(installed.path, 'w.bin'), 'utf8')).toBe([group, model, version].join());
      expect(join(installed.path, '..')).toBe(join(manager.dataDir, 'models'));
      expect(await manager.path({ group, model, version })).toBe(installed.path);
    }
    expect(home).toEqual(
      await readdir(join(manager.dataDir, '..')).then((now) => now.filter((one) => one !== 'mytool')),
    );
  });
});

describe('updates', () => {
  it('tell the old and the new version of an alias, and bring it', async () => {
    const scene = await registryScene();
    await scene.alias('latest', 'fp16');
    const manager = await scene.manager();
    const { alias, model } = await manager.pull('fast-whisper/tiny@latest');
    expect([alias, model.version, model.aliases]).toEqual(['latest', 'fp16', ['latest']]);
    expect(await manager.path('fast-whisper/tiny@latest')).toBe(model.path);
    expect((await manager.checkUpdate()).map(({ state }) => state)).toEqual(['current', 'current']);
    await scene.publish(['fast-whisper', 'tiny', 'fp32'], LARGER);
    await scene.alias('latest', 'fp32');
    const [update] = (await manager.checkUpdate('fast-whisper/tiny')).filter(({ state }) => state === 'update');
    expect(update).toMatchObject({ version: 'latest', isAlias: true, oldVersion: 'fp16', newVersion: 'fp32' });
    await manager.pull('fast-whisper/tiny@latest', { force: true });
    expect(await filesAt(await manager.path('fast-whisper/tiny@latest'))).toEqual(hashesOf(LARGER));
    expect((await manager.checkUpdate()).filter(({ state }) => state !== 'current')).toEqual([]);
    expect((await manager.listInstalled()).map(({ version, aliases }) => [version, aliases])).toEqual([
      ['fp16', []],
      ['fp32', ['latest']],
    ]);
  });

  it('see new content of a version, and versions that are gone', async () => {
    const scene = await registryScene();
    const manager = await scene.manager();
    await manager.pull(FP16);
    await scene.publish(['fast-whisper', 'tiny', 'fp16'], LARGER);
    expect(await manager.checkUpdate()).toMatchObject([{ state: 'update', isAlias: false, newVersion: 'fp16' }]);
    await scene.changeList((list) => {
      delete list['fast-whisper'];
    });
    expect(await manager.checkUpdate()).toMatchObject([{ state: 'gone', version: 'fp16' }]);
  });
});

describe('pruning', () => {
  it('removes what a pull that broke off left, and no installed model', async () => {
    const scene = await registryScene();
    await scene.publish(['lab', 'mouse', '1'], LARGER);
    const manager = await scene.manager();
    await manager.pull(FP16);
    const { hash } = await manager.getRemote('lab/mouse@1');
    let chunks = 0;
    // One chunk comes, and the others are held back.
    scene.server.misbehave = ({ path }) => path.startsWith('data/') && path !== `data/${hash}` && ++chunks > 1;
    const abort = new AbortController();
    const pulled = manager.pull('lab/mouse@1', {
      signal: abort.signal,
      onProgress: (progress) => {
        if (progress.type === 'transfer' && progress.doneBytes > 0) abort.abort();
      },
    });
    expect(await kindOf(pulled)).toBe('cancelled');
    expect(await manager.prune()).toMatchObject({ transfers: 1 });
    expect(await manager.prune()).toMatchObject({ transfers: 0, freedBytes: 0 });
    expect(await manager.listInstalled()).toHaveLength(1);
  });
});
