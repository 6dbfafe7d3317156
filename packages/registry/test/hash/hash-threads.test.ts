import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { hashFiles } from '../../src/hash/hash-files.ts';
import { scanned } from '../import/folders.ts';

/** Threads run only from the built package, so a process of its own loads it; `npm run build` makes it. */
const BUILT = fileURLToPath(new URL('../../dist/hash/hash-files.js', import.meta.url));

const SCRIPT = `
const [built, path, size, mtimeNs, cancelAfter] = process.argv.slice(1);
const { hashFiles } = await import(built);
const controller = new AbortController();
const onProgress = ({ doneBytes }) => doneBytes > Number(cancelAfter) && controller.abort();
const file = { path: 'model.bin', absolutePath: path, size: Number(size), mode: 420, mtimeNs: BigInt(mtimeNs) };
try {
  const { manifest } = await hashFiles([file, { ...file, path: 'same.bin' }], { signal: controller.signal, onProgress });
  console.log(JSON.stringify(manifest));
} catch (error) {
  console.log(JSON.stringify({ code: error.code }));
}
`;

/** A file that is zero but for some bytes in each block. */
async function largeFile(size: number): Promise<string> {
  const path = join(await temporaryFolder(), 'model.bin');
  const handle = await open(path, 'w');
  for (let at = 0; at < size; at += 700_001) await handle.write(Buffer.from(`at ${at}`), 0, undefined, at);
  await handle.truncate(size);
  await handle.close();
  return path;
}

async function runBuilt(path: string, cancelAfter: number): Promise<unknown> {
  const { size, mtimeNs } = await stat(path, { bigint: true });
  const values = [BUILT, path, size, mtimeNs, cancelAfter].map(String);
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT, ...values], { encoding: 'utf8' });
  return JSON.parse(output);
}

describe('hashFiles with threads', () => {
  it('is built', () => {
    expect(existsSync(BUILT)).toBe(true);
  });

  it('gives the same manifest as without them', async () => {
    const path = await largeFile(40_000_003);
    const file = await scanned(join(path, '..'), 'model.bin');
    const { manifest } = await hashFiles([file]);
    const built = (await runBuilt(path, Number.MAX_SAFE_INTEGER)) as typeof manifest;
    expect(built.files.map(({ sha256 }) => sha256)).toEqual([manifest.files[0]?.sha256, manifest.files[0]?.sha256]);
    expect(built.chunks).toEqual([...manifest.chunks, ...manifest.chunks]);
  });

  it('ends when cancelled, with its threads', async () => {
    expect(await runBuilt(await largeFile(60_000_000), 5_000_000)).toEqual({ code: 'cancelled' });
  });
});
