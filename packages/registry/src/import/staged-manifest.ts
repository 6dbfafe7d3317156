import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, mapLimit } from '@model-rtc/files';
import { type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { requireStaged } from './settle-files.ts';
import type { StagedFilesOptions } from './types.ts';

const FILES_AT_ONCE = 32;

/** Makes the manifest of staged files whose SHA-256 are known, cut as an import of them is. Reads each file once. */
export async function stagedManifest(
  { paths, loadImportSteps }: Pick<RegistryContext, 'paths' | 'loadImportSteps'>,
  { filesFolder, files, ...options }: StagedFilesOptions,
): Promise<Manifest> {
  requireStaged(paths.staging, filesFolder);
  const keyed = files.map((file) => ({ file, key: Buffer.from(file.path) }));
  const sorted = keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ file }) => file);
  const staged = await mapLimit(sorted, FILES_AT_ONCE, async ({ path, size, mode = 0 }) => {
    const absolutePath = join(filesFolder, ...path.split('/'));
    const { mtimeNs } = await atStorage(absolutePath, 'read', () => lstat(absolutePath, { bigint: true }));
    return { path, absolutePath, size, mode, mtimeNs };
  });
  const { hashFiles } = await loadImportSteps();
  const { manifest } = await hashFiles(staged, options);
  const wrong = manifest.files.find(({ sha256 }, i) => sha256 !== sorted[i]?.sha256);
  if (wrong === undefined) return { ...manifest, files: sorted.map((file) => ({ ...file })) };
  throw new ModelRtcError(
    'verification_failed',
    `The disk does not keep what was written to ${wrong.path}: its SHA-256 is another one now. Check the disk, or use another one.`,
    { details: { file: wrong.path } },
  );
}
