import { existsSync } from 'node:fs';
import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Digest, manifestDigest, silentLog } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { createChunkIndex } from '../../src/chunks/chunk-index.ts';
import type { Registry } from '../../src/index.ts';
import { installFiles, manifestOf, sha256 } from '../helpers/models.ts';
import { openTestRegistry, warningLog } from '../helpers/registry.ts';

const SHARED = 'shared chunk....';
const FIRST = { w: `${SHARED}only in first...` };
const SECOND = { head: 'a longer header.', w: `${SHARED}only in second..` };

async function readAt(registry: Registry, chunk: Digest): Promise<string | undefined> {
  const location = (await registry.locateChunks([chunk])).get(chunk);
  const bytes = location && (await registry.readLocatedChunk(chunk, location));
  return bytes && Buffer.from(bytes).toString();
}

describe('the chunks of this machine', () => {
  it('are noted when they are first looked for: until then, a small model that comes opens no index', async () => {
    const registry = await openTestRegistry();
    await installFiles(registry, FIRST);
    expect(existsSync(registry.paths.chunkIndex)).toBe(false);
    expect(await readAt(registry, sha256(SHARED))).toBe(SHARED);
    const { digest } = await installFiles(registry, SECOND);
    expect((await registry.locateChunks([sha256('only in second..')])).size).toBe(1);
    await registry.close();
    const index = createChunkIndex(registry.paths.chunkIndex, silentLog);
    expect(await index.has(digest as Digest)).toBe(true);
    await index.close();
  });

  it('are found in whatever model holds them, and those that none holds are not', async () => {
    const registry = await openTestRegistry();
    const first = await installFiles(registry, FIRST);
    const second = await installFiles(registry, SECOND);
    const chunks = [SHARED, 'only in first...', 'only in second..', 'in no model.....'].map(sha256);
    const located = await registry.locateChunks(chunks);
    expect([...located.keys()]).toEqual(chunks.slice(0, 3));
    expect(located.get(chunks[1] as Digest)).toEqual({ model: first.digest, offset: 16, size: 16 });
    expect(located.get(chunks[2] as Digest)).toEqual({ model: second.digest, offset: 32, size: 16 });
    expect(await readAt(registry, sha256(SHARED))).toBe(SHARED);
  });

  it('are read into a given buffer, and not at all when they are gone or changed', async () => {
    const registry = await openTestRegistry();
    const { localPath } = await installFiles(registry, FIRST);
    const chunk = sha256(SHARED);
    const location = (await registry.locateChunks([chunk])).get(chunk);
    if (location === undefined) throw new Error('the chunk is not found');
    const into = new Uint8Array(64);
    expect((await registry.readLocatedChunk(chunk, location, into))?.buffer).toBe(into.buffer);
    for (const wrong of [
      { ...location, offset: 1e6 },
      { ...location, size: 1e9 },
      { ...location, model: chunk },
    ]) {
      expect(await registry.readLocatedChunk(chunk, wrong)).toBeUndefined();
    }
    await writeFile(join(localPath, 'w'), 'other');
    expect(await registry.readLocatedChunk(chunk, location)).toBeUndefined();
  });

  it.each([
    ['missing', (folder: string) => rm(folder, { recursive: true })],
    ['cut', (folder: string) => truncate(join(folder, 'data.mdb'), 8192)],
    ['empty', (folder: string) => truncate(join(folder, 'data.mdb'), 0)],
    ['no index at all', (folder: string) => writeFile(join(folder, 'data.mdb'), 'x'.repeat(100_000))],
  ])('are found again when the index is %s', async (_, damage) => {
    const before = await openTestRegistry();
    await installFiles(before, FIRST);
    await installFiles(before, SECOND);
    expect(await readAt(before, sha256(SHARED))).toBe(SHARED);
    await before.close();
    await damage(before.paths.chunkIndex);
    const registry = await openTestRegistry({ home: before.paths.root });
    expect(await readAt(registry, sha256('only in second..'))).toBe('only in second..');
    expect(await readAt(registry, sha256('only in first...'))).toBe('only in first...');
  });

  it('of a model whose manifest is damaged are not found, and the others are', async () => {
    const before = await openTestRegistry();
    const first = await installFiles(before, FIRST);
    await installFiles(before, SECOND);
    await before.close();
    await writeFile(join(first.localPath, '.model-rtc', 'manifest.json'), '{');
    const log = warningLog();
    const registry = await openTestRegistry({ home: before.paths.root, log });
    expect(await readAt(registry, sha256('only in first...'))).toBeUndefined();
    expect(await readAt(registry, sha256(SHARED))).toBe(SHARED);
    expect(log.warnings).toEqual([expect.stringContaining('manifest')]);
  });

  it('of a replaced model are those of its new manifest', async () => {
    const registry = await openTestRegistry();
    const files = { a: 'a'.repeat(16), b: 'b'.repeat(16) };
    await installFiles(registry, files);
    const manifest = manifestOf({ b: files.b, a: files.a });
    await installFiles(registry, files, { manifest, ifExists: 'overwrite' });
    expect(await readAt(registry, sha256(files.a))).toBe(files.a);
    expect(await readAt(registry, sha256(files.b))).toBe(files.b);
  });
});

describe('a chunk index', () => {
  it('forgets a removed model’s places and keeps those that other models share', async () => {
    const folder = join(await temporaryFolder(), 'chunks');
    const index = createChunkIndex(folder, silentLog);
    const [first, second] = [manifestOf(FIRST), manifestOf(SECOND)];
    const [a, b] = [manifestDigest(first), manifestDigest(second)];
    await index.add(a, first);
    await index.add(a, first);
    await index.add(b, second);
    await index.remove(a, first);
    await index.remove(a, first);
    const wanted = [sha256(SHARED), sha256('only in first...')];
    expect([...(await index.locate(wanted, () => true)).values()].map(({ model }) => model)).toEqual([b]);
    expect([await index.has(a), await index.has(b)]).toEqual([false, true]);
    await index.remove(b, undefined);
    expect((await index.locate(wanted, () => true)).size).toBe(0);
    await index.close();
  });

  it('is not made before it is asked', async () => {
    const registry = await openTestRegistry();
    expect(await readdir(registry.paths.root)).not.toContain('chunks');
  });
});
