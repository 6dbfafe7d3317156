import { mkdir, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { atStorage, errorCode, mapLimit, storageError, syncFolder } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { ScannedFile } from './scanned-model.ts';

const LINKS_AT_ONCE = 32;
/** What `symlink` fails with on a file system that has none (FAT, exFAT), or for a user who may make none (Windows). */
const NO_LINKS = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/** What an import without copying does where no symbolic links can be made. */
export type WithoutLinks = 'copy' | 'in-place';

export async function makeFolders(staged: string, files: readonly ScannedFile[]): Promise<void> {
  const folders = [...new Set(files.map((file) => dirname(join(staged, file.path))))];
  await mapLimit(folders, LINKS_AT_ONCE, (folder) =>
    atStorage(folder, 'created', async () => await mkdir(folder, { recursive: true })),
  );
}

/** @throws ModelRtcError `storage`, for which `lacksLinks` is true where no links can be made */
export async function linkFiles(
  { makeLink }: Pick<RegistryContext, 'makeLink'>,
  staged: string,
  files: readonly ScannedFile[],
): Promise<void> {
  await mapLimit(files, LINKS_AT_ONCE, async (file) => {
    const link = join(staged, file.path);
    await makeLink(file.absolutePath, link).catch((thrown: unknown) => {
      throw cannotLink(link, thrown);
    });
  });
  const folders = [...new Set(files.map((file) => dirname(join(staged, file.path))))];
  await mapLimit(folders, LINKS_AT_ONCE, (folder) => atStorage(folder, 'written', () => syncFolder(folder)));
}

export function lacksLinks(error: unknown): boolean {
  return error instanceof ModelRtcError && error.details?.reason === 'no_links';
}

/** Leaves nothing of the links that were begun. */
export async function emptyFolder(folder: string): Promise<void> {
  await atStorage(folder, 'written', async () => {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
  });
}

/**
 * The folder in which the files lie under their paths in the model.
 * @throws ModelRtcError `storage` when there is none: then only links or copies give the files these paths
 */
export function folderOfOriginals(files: readonly ScannedFile[]): string {
  const [first] = files;
  const ending = first?.path.split('/').join(sep) ?? '';
  const folder = first?.absolutePath.endsWith(`${sep}${ending}`) ? first.absolutePath.slice(0, -ending.length - 1) : '';
  const isOne = files.every(({ path, absolutePath }) => absolutePath === join(folder, ...path.split('/')));
  if (folder !== '' && isOne) return folder;
  throw new ModelRtcError(
    'storage',
    'These files cannot be served in place, because their names here are not those that they have in the model. Copy them: --copy, or --without-links copy for a worker.',
    { details: { reason: 'no_links' } },
  );
}

function cannotLink(link: string, thrown: unknown): ModelRtcError {
  if (!NO_LINKS.has(errorCode(thrown) ?? '')) return storageError(thrown, link, 'created');
  const sentence = `This file system or user may not make symbolic links (${link}). Import the model with --copy; for a worker, pass --without-links copy or in-place.`;
  return new ModelRtcError('storage', sentence, { cause: thrown, details: { path: link, reason: 'no_links' } });
}
