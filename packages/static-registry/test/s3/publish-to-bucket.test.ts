import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Identity, identityFromSeed, systemClock } from '@model-rtc/protocol';
import { sha256, temporaryFolder } from '../../../../test/support/registry-folder.ts';
import { BUCKET } from '../../../../test/support/s3/server.ts';
import {
  openStaticRegistry,
  openTrustedRegistries,
  type PublishedFile,
  type PublishOptions,
  type PublishTarget,
  pruneRegistry,
  publicKeyOf,
  publishModel,
  StaticRegistry,
} from '../../src/index.ts';
import { checkList } from '../../src/sign/check-list.ts';
import { bucketScene, PREFIX } from './support.ts';

const CHUNK_BYTES = 65_536;
const DAY_MS = 24 * 3600 * 1000;
const LIST = `${PREFIX}/models.json`;

async function fileOf(seed: number): Promise<PublishedFile> {
  const content = Buffer.from(Array.from({ length: 3 * CHUNK_BYTES + 5 }, (_, i) => (i * seed) % 251));
  const source = join(await temporaryFolder(), 'model.bin');
  await writeFile(source, content);
  return { path: 'model.bin', size: content.length, sha256: sha256(content), source };
}

const publish = (target: PublishTarget, file: PublishedFile, more: Partial<PublishOptions> = {}) =>
  publishModel(target, {
    ...{ files: [file], group: 'g', model: 'm', version: '1', metadata: {}, chunkBytes: CHUNK_BYTES },
    ...more,
  });

describe('publishing to a bucket', () => {
  it('makes a registry that is read over HTTP, and with credentials where it is not public', async () => {
    const { server, target, store } = await bucketScene({ isPublic: true });
    const published = await publish(target, await fileOf(3));
    expect(published).toMatchObject({ isNew: true, chunkCount: 4 });
    const overHttp = openStaticRegistry({ url: `${server.url}/${BUCKET}/${PREFIX}`, env: {} });
    for (const registry of [overHttp, new StaticRegistry({ store })]) {
      const found = (await registry.list()).find({ group: 'g', model: 'm', version: '1' });
      expect(found.hash).toBe(published.hash);
      expect((await registry.list()).groups()).toEqual(['g']);
      expect((await registry.manifest(found.hash)).chunks).toHaveLength(4);
    }
    expect((await store.read('data/nothing')).kind).toBe('missing');
  });

  it('writes content first and the list last', async () => {
    const { server, target } = await bucketScene();
    await publish(target, await fileOf(3));
    const written = server.asks.filter(({ method }) => method === 'PUT').map(({ key }) => key);
    expect(written.at(-1)).toBe(LIST);
    expect(written.indexOf(LIST)).toBe(written.length - 1);
  });

  it('loses nothing when ten publish at once', async () => {
    const { open, target } = await bucketScene();
    const versions = Array.from({ length: 10 }, (_, i) => `v${i}`);
    const file = await fileOf(3);
    await Promise.all(versions.map(async (version) => publish((await open()).target, file, { version })));
    const { bytes } = (await target.readNamed('models.json', undefined)) ?? {};
    expect(Object.keys(JSON.parse(Buffer.from(bytes ?? []).toString()).g.m).sort()).toEqual(versions);
  });

  it('loses nothing when five publish and sign at once, and readers find the list signed', async () => {
    const { open, target, store } = await bucketScene();
    const versions = Array.from({ length: 5 }, (_, i) => `v${i}`);
    const file = await fileOf(3);
    const [alice, bob] = [1, 2].map((seed) => identityFromSeed(new Uint8Array(32).fill(seed))) as [Identity, Identity];
    const keys = [publicKeyOf(alice), publicKeyOf(bob)];
    const signing = (i: number) => ({ signers: [i % 2 === 0 ? alice : bob], trustKeys: keys });
    await publish(target, file, { version: 'first', signing: signing(0) });
    await Promise.all(
      versions.map(async (version, i) => publish((await open()).target, file, { version, signing: signing(i) })),
    );
    const { bytes = new Uint8Array() } = (await target.readNamed('models.json', undefined)) ?? {};
    expect(Object.keys(JSON.parse(Buffer.from(bytes).toString()).g.m).sort()).toEqual(['first', ...versions]);
    const registries = openTrustedRegistries(await temporaryFolder());
    await checkList(bytes, undefined, { store, registries, keys, clock: systemClock, random: () => 0 });
  });

  it('goes on where it broke off, and sends no chunk twice', async () => {
    let left = 3;
    const { server, target } = await bucketScene({
      before: ({ method, key }) =>
        method === 'PUT' && key.includes('/data/') && left-- <= 0
          ? { status: 403, code: 'AccessDenied', message: 'The disk went away' }
          : undefined,
    });
    const file = await fileOf(3);
    await expect(publish(target, file)).rejects.toMatchObject({ code: 'refused' });
    expect(server.objects.has(LIST)).toBe(false);
    left = Number.POSITIVE_INFINITY;
    const before = new Map(server.objects);
    await publish(target, file);
    for (const [key, object] of before) expect(server.objects.get(key)).toBe(object);
    expect(server.objects.has(LIST)).toBe(true);
  });

  it('prunes what no version names, page by page, but nothing young', async () => {
    const { server, target, store } = await bucketScene({ pageSize: 2 });
    await publish(target, await fileOf(3));
    for (let i = 0; i < 5; i++) server.put(`${PREFIX}/data/${sha256(Buffer.from([i]))}`, 'old', 8 * DAY_MS);
    server.put(`${PREFIX}/data/${sha256(Buffer.from([5]))}`, 'young', 6 * DAY_MS);
    for (const object of server.objects.values()) {
      if (object.bytes.length > 5) object.writtenAtMs -= 30 * DAY_MS;
    }
    const named = server.objects.size - 7;
    expect(await pruneRegistry(target, store, {})).toMatchObject({ removedFiles: 6, keptFiles: 1 });
    expect(server.objects.size).toBe(named + 1);
    const registry = new StaticRegistry({ store });
    const { hash } = (await registry.list()).find({ group: 'g', model: 'm', version: '1' });
    for (const chunk of (await registry.manifest(hash)).chunks) {
      expect(server.objects.has(`${PREFIX}/data/${chunk}`)).toBe(true);
    }
  });
});
