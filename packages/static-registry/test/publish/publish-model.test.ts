import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { sha256, temporaryFolder } from '../../../../test/support/registry-folder.ts';
import {
  createFolderStore,
  createFolderTarget,
  ModelList,
  openStaticRegistry,
  type PublishedFile,
  type PublishOptions,
  type PublishTarget,
  pruneRegistry,
  publishModel,
} from '../../src/index.ts';

const CHUNK_BYTES = 65_536;
const random = (size: number, seed: number) => Buffer.from(Array.from({ length: size }, (_, i) => (i * seed) % 251));
const A = random(CHUNK_BYTES, 3);
const B = random(CHUNK_BYTES, 5);

async function filesOf(contents: Readonly<Record<string, Buffer>>): Promise<PublishedFile[]> {
  const folder = await temporaryFolder();
  return await Promise.all(
    Object.entries(contents).map(async ([path, content], i) => {
      const source = join(folder, String(i));
      await writeFile(source, content);
      return { path, size: content.length, sha256: sha256(content), source };
    }),
  );
}

async function scene(contents: Readonly<Record<string, Buffer>> = { 'a.bin': A }) {
  const folder = await temporaryFolder();
  const target = createFolderTarget(folder);
  const files = await filesOf(contents);
  const publish = (more: Partial<PublishOptions> = {}, to: PublishTarget = target) =>
    publishModel(to, { files, group: 'g', model: 'm', version: '1', metadata: {}, chunkBytes: CHUNK_BYTES, ...more });
  const list = async () => JSON.parse(await readFile(join(folder, 'models.json'), 'utf8'));
  return { folder, target, files, publish, list, registry: () => openStaticRegistry({ url: `file://${folder}` }) };
}

describe('publishing a model', () => {
  it('lays files end to end, so that chunks span files and repeated ones are written once', async () => {
    const { folder, publish, registry } = await scene({
      a: A,
      empty: Buffer.alloc(0),
      b: B,
      c: A,
      d: B.subarray(0, 100),
    });
    const published = await publish({ metadata: { license: 'MIT' }, alias: 'latest' });
    const list = await registry().list();
    const found = list.find({ group: 'g', model: 'm', version: 'latest' });
    expect(found).toMatchObject({
      version: '1',
      alias: 'latest',
      digest: published.digest,
      metadata: { license: 'MIT' },
    });
    const manifest = await registry().manifest(found.hash);
    expect(manifest.chunks).toEqual([A, B, A, B.subarray(0, 100)].map((bytes) => sha256(bytes)));
    expect(manifest.contents.digest).toBe(published.digest);
    expect((await readdir(join(folder, 'data'))).sort()).toEqual([...new Set([...manifest.chunks, found.hash])].sort());
    expect(published).toMatchObject({
      isNew: true,
      doneBytes: 3 * CHUNK_BYTES + 100,
      totalBytes: 3 * CHUNK_BYTES + 100,
    });
  });

  it('writes nothing that is there, and says that nothing is new', async () => {
    const { publish, target } = await scene({ a: A, b: B });
    await publish();
    const written: Digest[] = [];
    const watched: PublishTarget = {
      ...target,
      put: async (hash, ...rest) => {
        written.push(hash);
        await target.put(hash, ...rest);
      },
    };
    expect(await publish({}, watched)).toMatchObject({ isNew: false, reusedBytes: 2 * CHUNK_BYTES });
    expect(written).toEqual([]);
  });

  it('goes on where it broke off, and names nothing before all of it is there', async () => {
    const { folder, publish, target } = await scene({ a: A, b: B });
    let puts = 0;
    const broken: PublishTarget = {
      ...target,
      put: async (...args) => {
        if (++puts > 1) throw new Error('the disk went away');
        await target.put(...args);
      },
    };
    await expect(publish({}, broken)).rejects.toThrow('the disk went away');
    expect(await readdir(folder)).toEqual(['data']);
    expect(await publish()).toMatchObject({ isNew: true, reusedBytes: CHUNK_BYTES });
  });

  it('takes a file: address as it takes a path', async () => {
    const { folder, publish, registry } = await scene();
    await publish({}, createFolderTarget(pathToFileURL(folder).href));
    expect((await registry().list()).models('g')).toEqual(['m']);
    expect(() => createFolderTarget('file://elsewhere/x')).toThrow('is not the address of a folder');
  });

  it("keeps what a publisher said of a content, and takes the rest from the model's entry", async () => {
    const { list, publish } = await scene();
    const described = { license: 'unknown', model_type: 'x' };
    await publish({ described, metadata: { license: 'MIT' } });
    const said = async () => (await list()).g.m[1].metadata;
    expect(await said()).toEqual({ license: 'MIT', model_type: 'x' });
    expect(await publish({ described, metadata: {} })).toMatchObject({ isNew: false });
    await publish({ described: { license: 'new' }, files: await filesOf({ a: B }), replace: true });
    expect(await said()).toEqual({ license: 'new', model_type: 'x' });
  });

  it('keeps what others put into the list, unknown fields and all', async () => {
    const { folder, publish, list } = await scene();
    const before = {
      _tool: 'x',
      g: { other: { 1: { hash: sha256(A), note: 1 } }, m: { 0: { alias: '9', by: 'me' } } },
    };
    await writeFile(join(folder, 'models.json'), JSON.stringify(before));
    const { hash, digest } = await publish();
    expect(await list()).toEqual({
      ...before,
      g: { ...before.g, m: { ...before.g.m, 1: { hash, digest, size: CHUNK_BYTES, metadata: {} } } },
    });
  });

  it('loses nothing when twenty publish at once', async () => {
    const { publish, registry } = await scene();
    const versions = Array.from({ length: 20 }, (_, i) => `v${i}`);
    await Promise.all(versions.map((version) => publish({ version })));
    const listed = (await registry().list()).versions('g', 'm');
    expect(listed.map(({ version }) => version).sort()).toEqual([...versions].sort());
  });

  it('refuses another content under a version that is taken, before it writes anything', async () => {
    const { folder, publish, list } = await scene();
    await publish();
    const before = await list();
    const other = await filesOf({ a: B });
    await expect(publish({ files: other })).rejects.toMatchObject({ code: 'refused' });
    await expect(publish({ version: '2', alias: '1' })).rejects.toMatchObject({ code: 'refused' });
    expect(await list()).toEqual(before);
    expect(await readdir(join(folder, 'data'))).toHaveLength(2);
    expect(await publish({ files: other, replace: true })).toMatchObject({ isNew: true });
  });

  it.each([
    [{ group: '../x' }],
    [{ model: 'a b' }],
    [{ version: '' }],
    [{ alias: '.hidden' }],
    [{ alias: '1' }],
    [{ chunkBytes: 1 }],
    [{ chunkBytes: 65_536.5 }],
  ])('refuses %j before it writes anything', async (wrong) => {
    const { folder, publish } = await scene();
    await expect(publish(wrong)).rejects.toMatchObject({ code: 'bad_argument' });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['was changed', (file: PublishedFile) => writeFile(file.source, B)],
    ['became shorter', (file: PublishedFile) => writeFile(file.source, A.subarray(1))],
  ])('publishes no file that %s since it was registered', async (_, change) => {
    const { folder, files, publish } = await scene();
    await change(files[0] as PublishedFile);
    await expect(publish()).rejects.toMatchObject({ code: 'source_changed' });
    expect(await readdir(folder)).not.toContain('models.json');
  });

  it('does not touch a list that is not one', async () => {
    const { folder, publish } = await scene();
    await writeFile(join(folder, 'models.json'), '{"g": ');
    await expect(publish()).rejects.toMatchObject({ code: 'invalid_model' });
    expect(await readFile(join(folder, 'models.json'), 'utf8')).toBe('{"g": ');
  });
});

describe('pruning a registry', () => {
  const age = async (folder: string, seconds: number) => {
    for (const name of await readdir(join(folder, 'data'))) {
      const time = Date.now() / 1000 - seconds;
      await utimes(join(folder, 'data', name), time, time);
    }
  };
  const prune = (folder: string, olderThanMs: number) =>
    pruneRegistry(createFolderTarget(folder), createFolderStore(folder), { olderThanMs });

  it('removes what no version names, but nothing young', async () => {
    const { folder, publish, registry } = await scene({ a: A, b: B });
    await publish();
    await publish({ files: await filesOf({ a: A }), replace: true });
    expect(await prune(folder, 60_000)).toEqual({ removedFiles: 0, removedBytes: 0, keptFiles: 2 });
    await age(folder, 3600);
    // Old files, but somebody who read the list a minute ago may be fetching them.
    expect(await prune(folder, 60_000)).toMatchObject({ removedFiles: 0, keptFiles: 2 });
    const list = JSON.parse(await readFile(join(folder, 'models.json'), 'utf8'));
    expect(list.g.m[1].replaced).toHaveLength(1);
    list.g.m[1].replaced[0].at = new Date(Date.now() - 120_000).toISOString();
    await writeFile(join(folder, 'models.json'), JSON.stringify(list));
    expect(await prune(folder, 60_000)).toMatchObject({ removedFiles: 2, keptFiles: 0 });
    const found = (await registry().list()).find({ group: 'g', model: 'm', version: '1' });
    for (const chunk of (await registry().manifest(found.hash)).chunks) await stat(join(folder, 'data', chunk));
  });

  it('remembers what a version was, in whatever order contents take its place', async () => {
    const { publish, list } = await scene({ a: A });
    const first = await publish();
    const second = await publish({ files: await filesOf({ a: B }), replace: true });
    await publish({ replace: true });
    expect(await publish({ replace: true })).toMatchObject({ isNew: false });
    const { hash, replaced } = (await list()).g.m[1];
    expect([hash, ...replaced.map((one: { hash: string }) => one.hash)]).toEqual([first.hash, second.hash, first.hash]);
  });

  it('prunes though the manifest of a version that was replaced is gone', async () => {
    const { folder, publish, list } = await scene({ a: A });
    await publish();
    const changed = await list();
    changed.g.m[1].replaced = [{ hash: sha256(B), at: new Date().toISOString() }, { hash: 1 }, null];
    await writeFile(join(folder, 'models.json'), JSON.stringify(changed));
    expect(await prune(folder, 60_000)).toMatchObject({ removedFiles: 0, keptFiles: 0 });
  });

  it('removes what a publisher that was killed left, once it is old', async () => {
    const { folder, publish } = await scene({ a: A });
    await publish();
    const left = join(folder, 'data', `${sha256(B)}.123-0123456789ab.tmp`);
    await writeFile(left, B);
    expect(await prune(folder, 60_000)).toEqual({ removedFiles: 0, removedBytes: 0, keptFiles: 0 });
    await age(folder, 3600);
    expect(await prune(folder, 60_000)).toEqual({ removedFiles: 0, removedBytes: B.length, keptFiles: 0 });
    await expect(stat(left)).rejects.toThrow('ENOENT');
  });

  it('leaves a file that somebody publishes again meanwhile', async () => {
    const { folder, publish, target } = await scene({ a: A });
    await publish();
    await age(folder, 3600);
    await writeFile(join(folder, 'models.json'), '{}');
    const claiming: PublishTarget = {
      ...target,
      listData: async function* (signal) {
        for await (const data of target.listData(signal)) {
          await target.claim(data.hash, data.bytes, signal);
          yield data;
        }
      },
    };
    const result = await pruneRegistry(claiming, createFolderStore(folder), { olderThanMs: 60_000 });
    expect(result).toMatchObject({ removedFiles: 0, keptFiles: 2 });
  });

  it('removes nothing when a version is written in an unknown way, or a manifest cannot be read', async () => {
    const { folder, publish, list } = await scene({ a: A });
    await publish();
    const known = await list();
    await age(folder, 3600);
    for (const added of [{ 2: { parts: [] } }, { 2: { hash: sha256(B) } }]) {
      await writeFile(join(folder, 'models.json'), JSON.stringify({ g: { m: { ...added } } }));
      await expect(prune(folder, 60_000)).rejects.toMatchObject({ code: 'invalid_model' });
    }
    expect(await readdir(join(folder, 'data'))).toHaveLength(2);
    expect(ModelList.parse(JSON.stringify(known)).groups()).toEqual(['g']);
  });
});
