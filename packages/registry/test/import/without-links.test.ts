import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { FoundPlace, Registry, TakeOptions } from '../../src/index.ts';
import { writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = { 'config.json': '{"model_type":"llama"}', 'sub/model.msgpack': 'some weights' };

/** As on FAT and exFAT. */
const makeLink = () => Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' }));

interface Watched {
  readonly registry: Registry;
  readonly folder: string;
  readonly place: FoundPlace;
  take(): ReturnType<Registry['takeFound']>;
}

async function watched(
  withoutLinks: TakeOptions['withoutLinks'],
  kind: 'folder' | 'file' = 'folder',
): Promise<Watched> {
  const registry = await openTestRegistry({ importSteps: undefined, makeLink });
  const folder = await temporaryFolder();
  await writeFiles(join(folder, 'net'), FILES);
  const path = kind === 'folder' ? join(folder, 'net') : join(folder, 'net', 'sub', 'model.msgpack');
  const place = { kind, path } as const;
  const take = () => registry.takeFound(place, { foundIn: folder, source: 'local-import', withoutLinks });
  return { registry, folder, place, take };
}

const rewritten = async (path: string) => {
  await writeFile(path, 'new weights!');
  await utimes(path, new Date(), new Date(Date.now() - 10_000));
};

describe('where no links can be made', () => {
  it('a found model is left out with what to do, and nothing is left of it', async () => {
    const { registry, take } = await watched(undefined);
    const error = await rejection(take());
    expect(error).toMatchObject({ code: 'storage', details: { reason: 'no_links' } });
    expect((error as Error).message).toContain('--without-links copy or in-place');
    expect(await readdir(registry.paths.staging)).toEqual([]);
  });

  it.each(['folder', 'file'] as const)(
    'a %s is served in place on request, from files that nobody touches',
    async (kind) => {
      const { registry, folder, take } = await watched('in-place', kind);
      const { entry } = await take();
      const digest = entry.digest as Digest;
      expect(entry).toMatchObject({ linked: true, displayStatus: 'completed' });
      expect(entry.localPath).toBe(kind === 'folder' ? join(folder, 'net') : join(folder, 'net', 'sub'));
      const { files, chunks } = await registry.manifest(digest);
      const weights = files.find(({ path }) => path.endsWith('.msgpack'));
      await using model = await registry.openModel(digest);
      const last = chunks.at(-1)?.digest as Digest;
      expect(Buffer.from(await model.readChunk(last)).toString()).toBe('some weights');
      expect((await registry.check(digest)).valid).toBe(true);
      for (const quick of [true, false])
        expect(await registry.verify(entry.id, { quick })).toMatchObject({ state: 'sound' });
      expect((await take()).outcome).toBe('already_there');
      await rewritten(join(entry.localPath, weights?.path as string));
      expect((await registry.check(digest)).valid).toBe(false);
      const again = (await registry.refresh(digest)).entry;
      expect(again).toMatchObject({ localPath: entry.localPath, alias: entry.alias });
      expect(again.digest).not.toBe(digest);
      await registry.remove(again.id);
      expect(await readFile(join(folder, 'net', 'sub', 'model.msgpack'), 'utf8')).toBe('new weights!');
    },
  );

  it('a model in place is found again when its index is lost, and exported like any other', async () => {
    const { registry, folder, take } = await watched('in-place');
    const { entry } = await take();
    const archive = join(await temporaryFolder(), 'net.tar');
    await registry.exportModel(entry.id, archive);
    expect((await (await openTestRegistry()).importArchive(archive)).entry.digest).toBe(entry.digest);
    const home = dirname(registry.paths.models);
    await writeFile(registry.paths.registryFile, 'not JSON');
    const after = await openTestRegistry({ home });
    expect(await after.find(entry.digest as Digest)).toMatchObject({ localPath: join(folder, 'net') });
  });

  it('a found model is copied on request, and again when its original changes', async () => {
    const { registry, folder, take } = await watched('copy');
    const { entry } = await take();
    expect(entry).toMatchObject({ linked: false, foundIn: folder });
    expect(await readFile(join(entry.localPath, 'sub', 'model.msgpack'), 'utf8')).toBe('some weights');
    expect((await take()).outcome).toBe('already_there');
    await rewritten(join(folder, 'net', 'sub', 'model.msgpack'));
    const { entry: later } = await take();
    expect(later).toMatchObject({ alias: entry.alias, linked: false });
    expect(await readFile(join(later.localPath, 'sub', 'model.msgpack'), 'utf8')).toBe('new weights!');
    expect((await registry.list({ filters: {}, sort: 'date', limit: 9 })).total).toBe(1);
  });
});
