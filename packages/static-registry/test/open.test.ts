import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Clock, type ModelRtcError, systemClock } from '@model-rtc/protocol';
import { serveFolder } from '../../../test/support/file-server.ts';
import { publish, temporaryFolder } from '../../../test/support/registry-folder.ts';
import { createFolderStore, openStaticRegistry } from '../src/index.ts';

/** Waits a hundredth of the time that it should. */
const hurried: Clock = { ...systemClock, after: (delayMs, callback) => systemClock.after(delayMs / 100, callback) };

async function failure(work: Promise<unknown>): Promise<ModelRtcError> {
  return await work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error) => error as ModelRtcError,
  );
}

describe('a registry', () => {
  it('does not send an unchanged list again, over runs of the program too', async () => {
    const [folder, cacheFolder] = [await temporaryFolder(), await temporaryFolder()];
    await publish(folder, ['g', 'm', '1'], { a: Buffer.from('x') }, { chunkBytes: 10 });
    const server = await serveFolder(folder);
    const open = () => openStaticRegistry({ url: server.url, cacheFolder, clock: hurried });
    const first = open();
    expect((await first.list()).groups()).toEqual(['g']);
    expect((await first.list()).groups()).toEqual(['g']);
    expect((await open().list()).groups()).toEqual(['g']);
    expect(server.asked.map(({ etag }) => etag !== undefined)).toEqual([false, true, true]);
    await publish(folder, ['h', 'm', '1'], { a: Buffer.from('y') }, { chunkBytes: 10 });
    expect((await first.list()).groups()).toEqual(['g', 'h']);
    expect((await openStaticRegistry({ url: `file://${folder}` }).list()).groups()).toEqual(['g', 'h']);
  });

  it('lets a list be looked at before it is used', async () => {
    const folder = await temporaryFolder();
    await publish(folder, ['g', 'm', '1'], { a: Buffer.from('x') }, { chunkBytes: 10 });
    const seen: string[] = [];
    const registry = openStaticRegistry({
      url: `file://${folder}`,
      checkList: async (bytes) => {
        seen.push(Buffer.from(bytes).toString());
        if (seen.length === 2) throw new Error('not signed');
      },
    });
    await registry.list();
    await expect(registry.list()).rejects.toThrow('not signed');
    expect(JSON.parse(seen[0] as string)).toHaveProperty('g');
  });

  it('says that there is none, or that its address is none', async () => {
    const server = await serveFolder(await temporaryFolder());
    expect(await failure(openStaticRegistry({ url: server.url }).list())).toMatchObject({
      code: 'not_found',
      details: { problem: 'registry_not_found' },
    });
    for (const url of ['ftp://x', 'example.org/models', 'http://']) {
      expect(() => openStaticRegistry({ url })).toThrow('not the address of a registry');
    }
  });
});

describe('a registry in a folder', () => {
  it('gives its files and their parts', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), 'some bytes');
    const store = createFolderStore(folder);
    expect(await store.read('file', { range: { offset: 5, length: 5 } })).toMatchObject({ offset: 5, totalBytes: 10 });
    expect(await store.read('gone')).toEqual({ kind: 'missing' });
  });
});
