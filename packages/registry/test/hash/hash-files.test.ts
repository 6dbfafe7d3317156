import { createCipheriv, createHash } from 'node:crypto';
import { appendFile, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Manifest, parseManifest } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { hashFiles } from '../../src/hash/hash-files.ts';
import type { ScannedFile } from '../../src/import/scanned-model.ts';
import { failureOf, scanned, writeFiles } from '../import/folders.ts';

const MIB = 1024 * 1024;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes without a pattern that chunks could share, the same in each run. */
function noise(size: number): Uint8Array {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** The digests that a manifest should have, from the bytes of its files. */
async function expectTrue(manifest: Manifest, files: readonly ScannedFile[]): Promise<void> {
  const contents = await Promise.all(files.map(({ absolutePath }) => readFile(absolutePath)));
  expect(manifest.files.map((file) => file.sha256)).toEqual(contents.map(sha256));
  const all = Buffer.concat(contents);
  let at = 0;
  const chunks = manifest.chunks.map(({ size }) => {
    at += size;
    return sha256(all.subarray(at - size, at));
  });
  expect(manifest.chunks.map(({ digest }) => digest)).toEqual(chunks);
  expect(at).toBe(all.length);
}

describe('hashFiles', () => {
  it('gives the digests of files and chunks of every size', async () => {
    const folder = await writeFiles(await temporaryFolder(), {
      'a/empty': '',
      'b one byte': 'x',
      'c exact': noise(MIB),
      'd more': noise(MIB + 1),
      'e/large.bin': noise(11 * MIB + 12_345),
      'f.safetensors': Buffer.concat([header(400_000, 900_000), noise(1_300_000)]),
      'g.safetensors': Buffer.concat([header(300_000, 300_000), noise(600_000)]),
    });
    const names = ['a/empty', 'b one byte', 'c exact', 'd more', 'e/large.bin', 'f.safetensors', 'g.safetensors'];
    const files = await Promise.all(names.map((name) => scanned(folder, name)));
    const { manifest, stats } = await hashFiles(files);
    await expectTrue(manifest, files);
    expect(parseManifest(manifest)).toEqual(manifest);
    expect(manifest.files.map(({ path }) => path)).toEqual(names);
    expect(stats.map(({ path, size, mtimeNs }) => [path, size, mtimeNs])).toEqual(
      files.map(({ path, size, mtimeNs }) => [path, size, mtimeNs]),
    );
    expect(manifest.chunks.map(({ size }) => size).slice(-6)).toEqual([104, 400_000, 900_000, 104, 300_000, 300_000]);
  });

  it('counts progress up to all bytes', async () => {
    const folder = await writeFiles(await temporaryFolder(), { a: noise(3 * MIB), b: 'xyz' });
    const files = [await scanned(folder, 'a'), await scanned(folder, 'b')];
    const seen: number[] = [];
    await hashFiles(files, { onProgress: ({ doneBytes }) => seen.push(doneBytes) });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(3 * MIB + 3);
  });

  it('refuses a model without files', async () => {
    expect((await failureOf(hashFiles([]))).code).toBe('bad_argument');
  });

  it.each([
    ['a small file', 100],
    ['a large file', 5 * MIB],
  ])('ends at once when cancelled within %s', async (_, size) => {
    const folder = await temporaryFolder();
    const names = ['a', 'b', 'c'];
    await writeFiles(folder, Object.fromEntries(names.map((name) => [name, noise(size)])));
    const files = await Promise.all(names.map((name) => scanned(folder, name)));
    const controller = new AbortController();
    const work = hashFiles(files, { signal: controller.signal, onProgress: () => controller.abort() });
    expect(await failureOf(work)).toMatchObject({ code: 'cancelled' });
  });

  it('does nothing for a signal that has aborted before', async () => {
    const folder = await writeFiles(await temporaryFolder(), { a: 'x' });
    const work = hashFiles([await scanned(folder, 'a')], { signal: AbortSignal.abort() });
    expect((await failureOf(work)).code).toBe('cancelled');
  });
});

describe('hashFiles on a file that changes', () => {
  const sizes = [100, 5 * MIB] as const;
  const changes: [string, (path: string) => Promise<void>][] = [
    ['grows', (path) => appendFile(path, 'more')],
    ['is cut', (path) => writeFile(path, 'x')],
    ['goes away', (path) => rm(path)],
    ['has another time', (path) => utimes(path, new Date(), new Date(Date.now() + 10_000))],
  ];

  it.each(changes)('says so when it %s after the scan', async (_, change) => {
    for (const size of sizes) {
      const folder = await writeFiles(await temporaryFolder(), { 'my file': noise(size) });
      const file = await scanned(folder, 'my file');
      await change(file.absolutePath);
      const failure = await failureOf(hashFiles([file]));
      expect(failure).toMatchObject({ code: 'source_changed', message: expect.stringContaining('"my file"') });
    }
  });

  it.each(changes)('says so when it %s while it is read', async (_, change) => {
    const folder = await writeFiles(await temporaryFolder(), { a: noise(30 * MIB) });
    const file = await scanned(folder, 'a');
    let changed: Promise<void> | undefined;
    const work = hashFiles([file], {
      onProgress: () => {
        changed ??= change(file.absolutePath);
      },
    });
    expect((await failureOf(work)).code).toBe('source_changed');
    await changed;
  });

  it('says so when another file took its place with the same size and time', async () => {
    const folder = await writeFiles(await temporaryFolder(), { a: noise(30 * MIB), b: new Uint8Array(30 * MIB) });
    const file = await scanned(folder, 'a');
    const time = new Date(1_700_000_000_000);
    await utimes(join(folder, 'a'), time, time);
    await utimes(join(folder, 'b'), time, time);
    const timed = { ...file, mtimeNs: 1_700_000_000_000_000_000n };
    let swapped: Promise<void> | undefined;
    const work = hashFiles([timed], {
      onProgress: () => {
        swapped ??= rename(join(folder, 'b'), join(folder, 'a'));
      },
    });
    expect((await failureOf(work)).code).toBe('source_changed');
    await swapped;
  });
});

/** The header of a safetensors file with two tensors, padded to 104 bytes with its length. */
function header(first: number, second: number): Buffer {
  const entries = { a: { data_offsets: [0, first] }, b: { data_offsets: [first, first + second] } };
  const text = Buffer.from(JSON.stringify(entries).padEnd(96, ' '));
  const length = Buffer.alloc(8);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text]);
}
