import { lstat, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, errorCode, ignoreMissing, listTree, syncFolder } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { hasBytes, removeLeft, temporaryIn } from './place-file.ts';
import type { PlacedModel, Placing } from './placing.ts';

/** Puts a model into a folder of its own under its name, for tools that take a path. The folder appears whole. */
export async function placeInFolder(placing: Placing): Promise<PlacedModel> {
  const { folder, name, files, place } = placing;
  const target = join(folder, name);
  if (await isSameModel(target, placing)) return { path: target, leftOut: [], isNew: false };
  await removeLeft(folder);
  const staged = temporaryIn(folder);
  try {
    await atStorage(staged, 'created', () => mkdir(staged, { recursive: true }));
    for (const file of files) await place(file, join(staged, file.path));
    await atStorage(target, 'written', async () => {
      await rename(staged, target).catch((thrown: unknown) => {
        throw ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errorCode(thrown) ?? '') ? taken(target) : thrown;
      });
      await syncFolder(folder);
    });
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
  return { path: target, leftOut: [], isNew: true };
}

/** @throws ModelRtcError `bad_argument` */
export function folderName(name: string): string {
  if (/^[\w.@+-]+$/.test(name) && !name.startsWith('.')) return name;
  throw new ModelRtcError(
    'bad_argument',
    `"${name}" cannot be the name of a folder here. Pass another one with --name.`,
  );
}

/** @throws ModelRtcError `refused` for anything else at that place */
async function isSameModel(target: string, { files, throwIfCancelled }: Placing): Promise<boolean> {
  return await atStorage(target, 'read', async () => {
    const present = await ignoreMissing(lstat(target));
    if (present === undefined) return false;
    if (!present.isDirectory()) throw taken(target);
    const there = (await listTree(target)).filter(({ entry }) => !entry.isDirectory());
    if (there.length !== files.length) throw taken(target);
    for (const { path, size, sha256 } of files) {
      if (!(await hasBytes({ size, sha256 }, join(target, path), { throwIfCancelled }))) throw taken(target);
    }
    return true;
  });
}

function taken(target: string): ModelRtcError {
  const sentence = `${target} is there and holds something else. Choose another name with --name.`;
  return new ModelRtcError('refused', sentence, { details: { path: target } });
}
