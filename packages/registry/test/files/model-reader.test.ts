import { appendFile, mkdir, open, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createFileHandles } from '@model-rtc/files';
import type { Digest } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { openModelFiles } from '../../src/files/model-files.ts';
import { installFiles, manifestOf, sha256, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = { 'a.bin': 'a'.repeat(20), empty: '', 'sub/b.bin': 'b'.repeat(7), 'c.bin': 'c'.repeat(30) };
const ALL = Object.values(FILES).join('');

async function installed(files: Record<string, string> = FILES) {
  const registry = await openTestRegistry();
  const entry = await installFiles(registry, files);
  return { registry, entry, digest: entry.digest as Digest, path: (name: string) => join(entry.localPath, name) };
}

describe('reading chunks', () => {
  it('gives the bytes of each chunk, also of one that spans files', async () => {
    const { registry, digest } = await installed();
    await using reader = await registry.openModel(digest);
    const read = await Promise.all(reader.manifest.chunks.map((chunk) => reader.readChunk(chunk.digest)));
    expect(Buffer.concat(read).toString()).toBe(ALL);
  });

  it('fills the buffer that it is given, when that is large enough', async () => {
    const { registry, digest } = await installed();
    await using reader = await registry.openModel(digest);
    const chunk = sha256(ALL.slice(16, 32));
    const into = new Uint8Array(100);
    const bytes = await reader.readChunk(chunk, into);
    expect(bytes.buffer).toBe(into.buffer);
    expect(bytes).toHaveLength(16);
    expect((await reader.readChunk(chunk, new Uint8Array(3))).length).toBe(16);
  });

  it('of another model, or after closing, is refused', async () => {
    const { registry, digest } = await installed();
    const reader = await registry.openModel(digest);
    expect((await rejection(reader.readChunk(sha256('other')))).code).toBe('not_found');
    await reader.close();
    await reader.close();
    expect((await rejection(reader.readChunk(sha256(ALL.slice(0, 16))))).code).toBe('cancelled');
    expect((await rejection(registry.openModel(sha256('none')))).code).toBe('not_found_locally');
  });

  it.each([
    ['was appended to', (path: string) => appendFile(path, 'x')],
    ['was cut', (path: string) => truncate(path, 3)],
    ['was touched', (path: string) => utimes(path, 1, 1)],
    ['is gone', (path: string) => rm(path)],
    ['was replaced by a folder', (path: string) => rm(path).then(() => mkdir(path))],
    ['was replaced by a link out of the model', (path: string) => rm(path).then(() => symlink('/etc/hostname', path))],
  ])('of a file that %s says so, and check does too', async (_, change) => {
    const { registry, digest, path } = await installed();
    await change(path('c.bin'));
    await using reader = await registry.openModel(digest);
    expect((await reader.readChunk(sha256(ALL.slice(0, 16)))).length).toBe(16);
    const error = await rejection(reader.readChunk(sha256(ALL.slice(32, 48))));
    expect(error).toMatchObject({ code: 'source_changed', details: { path: path('c.bin') } });
    const { valid, problems } = await registry.check(digest);
    expect(valid).toBe(false);
    expect(problems.map((problem) => problem.path)).toEqual(['c.bin']);
  });

  it('notices a write between two reads of a file that is held open', async () => {
    const { registry, digest, path } = await installed();
    await using reader = await registry.openModel(digest);
    const chunk = sha256(ALL.slice(32, 48));
    await reader.readChunk(chunk);
    await writeFile(path('c.bin'), 'C'.repeat(30));
    expect((await rejection(reader.readChunk(chunk))).code).toBe('source_changed');
  });

  it('never leaves the model’s folder through a folder that became a link', async () => {
    const { registry, digest, entry, path } = await installed();
    const elsewhere = join(await temporaryFolder(), 'sub');
    await rename(path('sub'), elsewhere);
    await symlink(elsewhere, join(entry.localPath, 'sub'));
    await using reader = await registry.openModel(digest);
    expect((await rejection(reader.readChunk(sha256(ALL.slice(16, 32))))).code).toBe('source_changed');
    expect((await registry.check(digest)).valid).toBe(false);
  });

  it('lists no more than 100 problems', async () => {
    const files = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`f${i}`, String(i)]));
    const { registry, digest, entry } = await installed(files);
    await rm(entry.localPath, { recursive: true });
    await writeFiles(entry.localPath, {});
    expect((await registry.check(digest)).problems).toHaveLength(1);
    await installFiles(registry, files);
    await Promise.all(Object.keys(files).map((name) => rm(join(entry.localPath, name))));
    expect((await registry.check(digest)).problems).toHaveLength(100);
  });

  it('reads any run of bytes of a model of many small files', async () => {
    const folder = await temporaryFolder();
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, String(i).repeat(i % 4)]));
    await writeFiles(folder, files);
    const all = Object.values(files).join('');
    const stats = await Promise.all(
      manifestOf(files).files.map(async ({ path, size }) => {
        return { path, size, mtimeNs: (await stat(join(folder, path), { bigint: true })).mtimeNs };
      }),
    );
    const model = openModelFiles({ path: folder, linked: false }, stats);
    expect(model.size).toBe(all.length);
    for (let from = 0; from < all.length; from += 7) {
      const into = new Uint8Array(Math.min(13, all.length - from));
      await model.read(from, into);
      expect(Buffer.from(into).toString()).toBe(all.slice(from, from + 13));
    }
    expect((await rejection(model.read(all.length - 1, new Uint8Array(2)))).code).toBe('not_found');
    expect((await rejection(model.read(-1, new Uint8Array(1)))).code).toBe('not_found');
    await model[Symbol.asyncDispose]();
  });
});

describe('file handles', () => {
  it('stay open up to the limit, and are never closed while they are in use', async () => {
    const folder = await temporaryFolder();
    const paths = Array.from({ length: 6 }, (_, i) => join(folder, String(i)));
    for (const path of paths) await writeFile(path, 'x');
    const handles = createFileHandles(2, false);
    const fds = await Promise.all(
      paths.map((path) =>
        handles.use(path, async (file) => {
          await new Promise((resolve) => setImmediate(resolve));
          expect((await file.stat()).size).toBe(1);
          return file;
        }),
      ),
    );
    await handles.close();
    expect(fds.every((file) => file.fd === -1)).toBe(true);
    expect((await rejection(handles.use(join(folder, 'none'), async () => undefined))).code).toBe('ENOENT');
    await (await open(paths[0] as string)).close();
    await handles.close();
  });
});
