import { lstat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ModelPath } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { toScannedFile } from '../../src/import/scanned-file.ts';
import type { ScannedFile } from '../../src/import/scanned-model.ts';
import { readAhead } from '../../src/inspect/read-ahead.ts';

async function writeAll(sizes: readonly number[]): Promise<ScannedFile[]> {
  const folder = await temporaryFolder();
  return await Promise.all(
    sizes.map(async (size, i) => {
      const path = join(folder, String(i));
      await writeFile(path, Buffer.alloc(size, i));
      return toScannedFile(`${i}` as ModelPath, path, await lstat(path, { bigint: true }));
    }),
  );
}

describe('reading files ahead', () => {
  it('gives each file in its turn, with its own bytes, small and large ones', async () => {
    const sizes = Array.from({ length: 50 }, (_, i) => (i % 7 === 3 ? 100_000 + i : i * 10));
    const files = await writeAll(sizes);
    const seen: string[] = [];
    for await (const { file, source } of readAhead(files)) {
      const i = seen.push(file.path) - 1;
      expect(source.size).toBe(sizes[i]);
      const bytes = await source.read(Math.floor(source.size / 2), Math.ceil(source.size / 2));
      expect(Buffer.from(bytes).equals(Buffer.alloc(bytes.length, i))).toBe(true);
    }
    expect(seen).toEqual(files.map(({ path }) => path));
  });

  it('fails at the file that changed, once those before it were looked at', async () => {
    const files = await writeAll([10, 10, 10, 10]);
    await writeFile((files[2] as ScannedFile).absolutePath, 'longer than it was');
    const seen: string[] = [];
    const all = async (): Promise<void> => {
      for await (const { file } of readAhead(files)) seen.push(file.path);
    };
    expect(await rejection(all())).toMatchObject({ code: 'source_changed', details: { path: '2' } });
    expect(seen).toEqual(['0', '1']);
  });
});
