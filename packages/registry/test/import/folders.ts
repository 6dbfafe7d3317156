import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ModelPath } from '@model-rtc/protocol';
import type { ScannedFile } from '../../src/import/scanned-model.ts';

/** Writes files by their paths under a folder. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** A file as a scan would give it. */
export async function scanned(folder: string, path: string): Promise<ScannedFile> {
  const absolutePath = join(folder, path);
  const { size, mode, mtimeNs } = await stat(absolutePath, { bigint: true });
  return { path: path as ModelPath, absolutePath, size: Number(size), mode: Number(mode & 0o777n), mtimeNs };
}

/** What a promise is rejected with. */
export async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  return await work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: { code: string; message: string }) => ({ code: error.code, message: error.message }),
  );
}
