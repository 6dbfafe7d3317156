import { open, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Digest, silentLog } from '@model-rtc/protocol';
import fc from 'fast-check';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { createHashCache, type HashCacheOptions } from '../../src/hash/hash-cache.ts';
import { hashFiles } from '../../src/hash/hash-files.ts';
import { decodeHashes, encodeHashes } from '../../src/hash/hash-record.ts';
import type { HashCache } from '../../src/hash/types.ts';
import { sha256 } from '../helpers/models.ts';
import { warningLog } from '../helpers/registry.ts';
import { scanned, writeFiles } from '../import/folders.ts';

const BIG = Buffer.alloc(200_000, 'weights');
const opened: HashCache[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((cache) => cache.close()));
});

/** A cache a minute later than the files are, for which no file is too young. */
function openCache(folder: string, options: Partial<HashCacheOptions> = {}): HashCache {
  const now = () => new Date(Date.now() + 60_000);
  const cache = createHashCache(folder, { log: silentLog, now, ...options });
  opened.push(cache);
  return cache;
}

async function setUp() {
  const home = await temporaryFolder();
  const folder = await writeFiles(join(home, 'model'), { 'a.pt': BIG, 'small.json': '{}' });
  const cacheFolder = join(home, 'hashes');
  const file = () => scanned(folder, 'a.pt');
  return { folder, cacheFolder, path: join(folder, 'a.pt'), file, cache: openCache(cacheFolder) };
}

describe('the cache of hashes', () => {
  it('knows a file that was read before, after a restart too', async () => {
    const { file, cache, cacheFolder } = await setUp();
    const { manifest, stats } = await hashFiles([await file()], { cache });
    await cache.close();
    const again = openCache(cacheFolder);
    const known = await again.get(await file());
    expect(known).toMatchObject({ sha256: sha256(BIG) });
    expect(known?.chunks).toEqual(manifest.chunks.map(({ digest }) => digest));
    expect(await hashFiles([await file()], { cache: again })).toEqual({ manifest, stats });
  });

  it('saves reading the file', async () => {
    const { file, folder, cache } = await setUp();
    const planted = '1'.repeat(64) as Digest;
    const known = { sha256: planted, chunks: [planted], chunkSizes: [BIG.length] };
    const progress: number[] = [];
    const { manifest } = await hashFiles([await file(), await scanned(folder, 'small.json')], {
      cache: { ...cache, get: async () => known },
      onProgress: ({ doneBytes }) => progress.push(doneBytes),
    });
    expect(manifest.files.map((entry) => entry.sha256)).toEqual([planted, sha256('{}')]);
    expect(progress).toEqual([BIG.length, BIG.length + 2]);
  });

  it.each<[string, (path: string) => Promise<unknown>]>([
    ['was written to', (path) => writeFile(path, Buffer.alloc(BIG.length, 'x'))],
    [
      'was written to, and has its old time again',
      async (path) => {
        const { atime, mtime } = await stat(path);
        const handle = await open(path, 'r+');
        await handle.write('other');
        await handle.close();
        await utimes(path, atime, mtime);
      },
    ],
    [
      'is another one of the same size and time',
      async (path) => {
        const { atime, mtime } = await stat(path);
        await writeFile(`${path}.new`, Buffer.alloc(BIG.length, 'y'));
        await utimes(`${path}.new`, atime, mtime);
        await rename(`${path}.new`, path);
      },
    ],
  ])('does not know a file that %s', async (_what, change) => {
    const { file, path, cache } = await setUp();
    await hashFiles([await file()], { cache });
    expect(await cache.get(await file())).toBeDefined();
    await change(path);
    expect(await cache.get(await file())).toBeUndefined();
  });

  it('keeps nothing of a file that changed just before it was read', async () => {
    const { file, cacheFolder } = await setUp();
    const young = openCache(cacheFolder, { now: () => new Date() });
    await hashFiles([await file()], { cache: young });
    expect(await young.get(await file())).toBeUndefined();
  });

  it('is started anew when it was damaged, and says so', async () => {
    const { file, cache, cacheFolder } = await setUp();
    await hashFiles([await file()], { cache });
    await cache.close();
    await truncate(join(cacheFolder, 'data.mdb'), 5000);
    const log = warningLog();
    const again = openCache(cacheFolder, { log });
    expect(await again.get(await file())).toBeUndefined();
    expect(log.warnings).toEqual([expect.stringContaining('damaged')]);
    await hashFiles([await file()], { cache: again });
    expect(await again.get(await file())).toBeDefined();
  });

  it('fails nothing when it cannot be used', async () => {
    const { file, folder } = await setUp();
    const unusable = openCache(join(folder, 'a.pt', 'no-folder'));
    const { manifest } = await hashFiles([await file()], { cache: unusable });
    expect(manifest.files[0]?.sha256).toBe(sha256(BIG));
  });

  it('forgets what was not used for longest when it is full', async () => {
    const { folder, cacheFolder } = await setUp();
    let day = 1;
    const names = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}.pt`);
    await writeFiles(folder, Object.fromEntries(names.map((name) => [name, `${name}${BIG}`])));
    const files = await Promise.all(names.map((name) => scanned(folder, name)));
    const cache = openCache(cacheFolder, { maxRecords: 4, now: () => new Date(2e12 + day * 86_400_000 * 2) });
    for (const file of files.slice(0, 4)) {
      await hashFiles([file], { cache });
      day++;
    }
    await cache.get(files[0] as (typeof files)[0]);
    await hashFiles([files[4] as (typeof files)[0]], { cache });
    const known = await Promise.all(files.map(async (file) => (await cache.get(file)) !== undefined));
    expect(known).toEqual([true, false, false, true, true]);
  });
});

describe('a record of the cache', () => {
  const digest = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('hex') as Digest);
  const hashes = fc
    .record({
      sha256: digest,
      parts: fc.array(fc.tuple(digest, fc.integer({ min: 1, max: 1_000_000 })), { maxLength: 20 }),
    })
    .map(({ sha256: whole, parts }) => ({
      sha256: whole,
      chunks: parts.map(([chunk]) => chunk),
      chunkSizes: parts.map(([, size]) => size),
    }));
  const sizeOf = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(hashes, (value) => {
        expect(decodeHashes(encodeHashes(value), sizeOf(value.chunkSizes))).toEqual(value);
      }),
    );
  });

  it('is taken for nothing when a bit of it changed, it was cut, or it is of a file of another size', () => {
    fc.assert(
      fc.property(hashes, fc.nat(), fc.integer({ min: 0, max: 7 }), (value, at, bit) => {
        const record = encodeHashes(value);
        const size = sizeOf(value.chunkSizes);
        expect(decodeHashes(record, size + 1)).toBeUndefined();
        expect(decodeHashes(record.subarray(0, at % record.length), size)).toBeUndefined();
        const index = at % record.length;
        record.writeUInt8(record.readUInt8(index) ^ (1 << bit), index);
        expect(decodeHashes(record, size)).toBeUndefined();
      }),
    );
  });
});
