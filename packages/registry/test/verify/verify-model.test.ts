import {
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, manifestDigest } from '@model-rtc/protocol';
import fc from 'fast-check';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { installFiles, sha256, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

/** Chunks of 16 bytes: 0 in a.bin, 1 in a.bin and b.bin, 2 in b.bin and c.bin, 3 in c.bin. */
const FILES = { 'a.bin': 'a'.repeat(20), empty: '', 'sub/b.bin': 'b'.repeat(13), 'c.bin': 'c'.repeat(30) };

async function installed(files: Record<string, string> = FILES) {
  const registry = await openTestRegistry();
  const entry = await installFiles(registry, files, { alias: 'mouse' as Alias });
  return { registry, entry, digest: entry.digest as Digest, path: (name: string) => join(entry.localPath, name) };
}

async function imported() {
  const registry = await openTestRegistry();
  const originals = await writeFiles(await temporaryFolder(), FILES);
  const { entry } = await registry.importModel(originals, { alias: 'linked' as Alias });
  return { registry, entry, originals };
}

const OLD = new Date('2026-01-02T03:04:05Z');

/** With times that `damage` can restore to the nanosecond. */
async function installedLongAgo() {
  const model = await installed();
  await Promise.all(Object.keys(FILES).map((name) => utimes(model.path(name), OLD, OLD)));
  await model.registry.verify('mouse');
  return model;
}

/** Writes another byte and leaves size and time as they were: what a failing disk does. */
async function damage(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.write('X', at);
  await writeFile(path, bytes);
  await utimes(path, OLD, OLD);
}

describe('verifying a model', () => {
  it('finds one that is as it was sound, by every name, and says how far it has read', async () => {
    const { registry, entry } = await installed();
    const progress: number[] = [];
    for (const ref of ['mouse', entry.id, entry.digest as string]) {
      const verified = await registry.verify(ref, { onProgress: ({ doneBytes }) => progress.push(doneBytes) });
      expect(verified).toMatchObject({ state: 'sound', problems: [], damagedChunks: [], damagedBytes: 0, settled: [] });
    }
    expect(progress.at(-1)).toBe(63);
  });

  it.each([
    ['inside one file', 'a.bin', 3, [0]],
    ['in a chunk that spans files', 'a.bin', 18, [1]],
    ['at the end of a file in the middle', 'sub/b.bin', 12, [2]],
    ['in the last chunk', 'c.bin', 29, [3]],
  ])('names the chunk of a changed byte %s, though size and time are the same', async (_, name, at, chunks) => {
    const { registry, path } = await installedLongAgo();
    await damage(path(name), at);
    expect((await registry.verify('mouse', { quick: true })).state).toBe('sound');
    const { state, problems, damagedChunks, damagedBytes } = await registry.verify('mouse');
    expect({ state, damagedChunks }).toEqual({ state: 'damaged', damagedChunks: chunks });
    expect(problems.map((problem) => problem.path)).toEqual([name]);
    expect(damagedBytes).toBe(chunks[0] === 3 ? 15 : 16);
  });

  it.each([
    ['is missing', (path: string) => rm(path), [2, 3], /missing/],
    ['was cut', (path: string) => truncate(path, 2), [2, 3], /2 bytes/],
    ['is longer', (path: string) => writeFile(path, `${FILES['c.bin']}more`), [], /34 bytes/],
    ['is a folder', (path: string) => rm(path).then(() => mkdir(path)), [2, 3], /plain file/],
    ['is a link', (path: string) => rm(path).then(() => symlink('/etc/hostname', path)), [2, 3], /link/],
  ])('reports a file that %s', async (_, change, chunks, problem) => {
    const { registry, path } = await installed();
    await change(path('c.bin'));
    const verified = await registry.verify('mouse');
    expect(verified.problems).toEqual([{ path: 'c.bin', problem: expect.stringMatching(problem) }]);
    expect(verified.damagedChunks).toEqual(chunks);
    expect((await registry.verify('mouse', { quick: true })).problems.map(({ path: name }) => name)).toEqual(['c.bin']);
  });

  it('says that its folder is gone', async () => {
    const { registry, entry } = await installed();
    await rm(entry.localPath, { recursive: true });
    expect(await registry.verify('mouse')).toMatchObject({
      state: 'damaged',
      problems: [{ path: '', problem: 'its folder is missing' }],
      damagedBytes: 63,
    });
  });

  it('lists 100 problems and counts all', async () => {
    const files = Object.fromEntries(Array.from({ length: 130 }, (_, i) => [`f${i}.bin`, `content ${i}`]));
    const { registry, path } = await installed(files);
    await Promise.all(Object.keys(files).map((name) => rm(path(name))));
    const { problems, damagedFiles, damagedBytes, entry } = await registry.verify('mouse');
    expect({ listed: problems.length, damagedFiles, damagedBytes }).toEqual({
      listed: 100,
      damagedFiles: 130,
      damagedBytes: entry.size,
    });
  });

  it('never reads through a folder of the model that became a link', async () => {
    const { registry, path } = await installed();
    const elsewhere = join(await temporaryFolder(), 'sub');
    await rename(path('sub'), elsewhere);
    await symlink(elsewhere, path('sub'));
    expect((await registry.verify('mouse')).problems).toEqual([
      { path: 'sub/b.bin', problem: "it lies outside the model's folder" },
    ]);
  });

  it('stops when it is cancelled, and fails for a name that nothing has', async () => {
    const { registry } = await installed();
    const signal = AbortSignal.abort();
    expect((await rejection(registry.verify('mouse', { signal }))).code).toBe('cancelled');
    expect((await rejection(registry.verify('mouze'))).code).toBe('not_found_locally');
  });

  it('finds exactly the chunks whose bytes were changed, wherever that is', async () => {
    const { registry, entry, path } = await installed();
    const names = ['a.bin', 'sub/b.bin', 'c.bin'] as const;
    const starts = { 'a.bin': 0, 'sub/b.bin': 20, 'c.bin': 33 };
    const places = fc.uniqueArray(fc.nat(62), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(places, async (offsets) => {
        for (const [name, content] of Object.entries(FILES)) await writeFile(path(name), content);
        for (const offset of offsets) {
          const name = names.findLast((candidate) => starts[candidate] <= offset) ?? 'a.bin';
          await damage(path(name), offset - starts[name]);
        }
        const { damagedChunks } = await registry.verify(entry.id);
        expect(damagedChunks).toEqual([...new Set(offsets.map((offset) => offset >> 4))].sort());
      }),
      { numRuns: 30 },
    );
  });
});

describe('what is only noted of files whose bytes are right', () => {
  it('is put right: new times, and lost notes', async () => {
    const { registry, digest, path } = await installed();
    await utimes(path('a.bin'), 1, 1);
    expect((await registry.check(digest)).valid).toBe(false);
    expect((await registry.verify('mouse')).settled).toEqual([expect.stringContaining('new times are noted')]);
    expect((await registry.check(digest)).valid).toBe(true);
    await rm(path('.model-rtc/files.json'));
    await writeFile(path('.model-rtc/entry.json'), 'nonsense');
    expect(await registry.verify('mouse')).toMatchObject({ state: 'sound', settled: [{}, {}] });
    expect(await registry.verify('mouse')).toMatchObject({ state: 'sound', settled: [] });
    expect(JSON.parse(await readFile(path('.model-rtc/entry.json'), 'utf8'))).toMatchObject({ entry: { digest } });
  });

  it('is put right even when all notes are lost, since the digest tells whether the files are the model', async () => {
    const { registry, digest, entry, path } = await installed();
    await rm(path('.model-rtc'), { recursive: true });
    expect((await registry.verify('mouse', { quick: true })).problems).toEqual([
      { path: '.model-rtc/manifest.json', problem: 'it is missing or damaged' },
    ]);
    expect(await registry.verify('mouse')).toMatchObject({ state: 'sound', settled: [{}, {}, {}] });
    const reopened = await openTestRegistry({ home: registry.paths.root });
    const rebuilt = await reopened.manifest(digest);
    expect(manifestDigest(rebuilt)).toBe(digest);
    for (const chunk of rebuilt.chunks) {
      const location = (await reopened.locateChunks([chunk.digest])).get(chunk.digest);
      const bytes = await reopened.readLocatedChunk(chunk.digest, location as never);
      expect(sha256(bytes as Uint8Array)).toBe(chunk.digest);
    }
    expect((await reopened.resolve('mouse')).entry).toEqual(entry);
  });

  it.each([
    ['a byte is wrong', (path: string) => damage(join(path, 'c.bin'), 0)],
    ['a file is missing', (path: string) => rm(join(path, 'c.bin'))],
    ['a file is there that may be part of it', (path: string) => writeFile(join(path, 'more'), 'x')],
    ['a link is among the files', (path: string) => symlink('/etc/hostname', join(path, 'more'))],
  ])('is not made up when all notes are lost and %s', async (_, change) => {
    const { registry, entry, path } = await installed();
    await rm(path('.model-rtc'), { recursive: true });
    await change(entry.localPath);
    expect(await registry.verify('mouse')).toMatchObject({
      state: 'damaged',
      problems: [{ path: '.model-rtc/manifest.json' }],
      settled: [],
    });
    expect(await readdir(entry.localPath)).not.toContain('.model-rtc');
  });

  it('is left alone while a byte is wrong, and by a quick look', async () => {
    const { registry, digest, path } = await installed();
    await utimes(path('a.bin'), 1, 1);
    expect((await registry.verify('mouse', { quick: true })).state).toBe('damaged');
    await damage(path('c.bin'), 0);
    expect((await registry.verify('mouse')).settled).toEqual([]);
    expect((await registry.check(digest)).problems.map((problem) => problem.path)).toContain('a.bin');
  });
});

describe('verifying a linked model', () => {
  it('reads the originals, and says when one is gone', async () => {
    const { registry, entry, originals } = await imported();
    expect((await registry.verify('linked')).state).toBe('sound');
    await rm(join(originals, 'c.bin'));
    expect((await registry.verify('linked')).problems).toEqual([
      { path: 'c.bin', problem: 'the file that it links to is gone' },
    ]);
    expect((await lstat(join(entry.localPath, 'c.bin'))).isSymbolicLink()).toBe(true);
  });

  it('writes nothing among the originals', async () => {
    const { registry, originals } = await imported();
    await utimes(join(originals, 'a.bin'), 1, 1);
    const before = await readdir(originals, { recursive: true });
    expect((await registry.verify('linked')).settled).toHaveLength(1);
    expect(await readdir(originals, { recursive: true })).toEqual(before);
    expect((await stat(join(originals, 'a.bin'))).mtimeMs).toBe(1000);
  });
});
