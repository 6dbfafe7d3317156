import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type FolderNames, isTelling, markOf } from '@model-rtc/formats';
import type { ModelFile } from '@model-rtc/formats/layouts';
import { modelPathProblem } from '@model-rtc/protocol';
import { toModelFile } from './model-files-on-disk.ts';
import { toScannedFile } from './scanned-file.ts';

/** Metrics and parameters of a run have a file each. */
const MAX_FILES_AROUND = 200;

/** Folders of a run that people name when they mean the run. */
const PART_OF_RUN = /^(checkpoints?|ckpts?|weights|global_step\d+)$/;

/** The run that a folder is a part of, by what lies beside it; the folder itself when it is none. */
export async function runAround(folder: string): Promise<string> {
  if (!PART_OF_RUN.test(basename(folder))) return folder;
  const above = dirname(folder);
  const mark = markOf(await namesIn(above));
  // A folder of checkpoints makes no run by itself: anything may lie beside it.
  return mark?.kind === 'run' && mark.tool !== 'checkpoints' ? above : folder;
}

/** The package of Core ML whose specification is in a folder; undefined for any other folder. */
export async function packageAround(folder: string): Promise<string | undefined> {
  const data = dirname(folder);
  if (basename(folder) !== 'com.apple.CoreML' || basename(data) !== 'Data') return undefined;
  const above: string[] = await readdir(dirname(data)).catch(() => []);
  return above.includes('Manifest.json') ? dirname(data) : undefined;
}

/** The files of a folder beside or above a model, by a path that begins with `..`. Links are not followed. */
export async function filesAround(root: string, path: string): Promise<ModelFile[]> {
  const folder = join(root, path);
  const names = await readdir(folder).catch(() => []);
  const files: ModelFile[] = [];
  for (const name of names.sort().slice(0, MAX_FILES_AROUND)) {
    const stats = await lstat(join(folder, name), { bigint: true }).catch(() => undefined);
    if (stats?.isFile() && modelPathProblem(name) === undefined) {
      files.push(toModelFile(toScannedFile(name, join(folder, name), stats)));
    }
  }
  return files;
}

async function namesIn(folder: string): Promise<FolderNames> {
  const items = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = items.filter((item) => item.isDirectory()).map(({ name }) => name);
  const inside = new Map<string, string[]>();
  for (const name of folders.filter(isTelling)) inside.set(name, await readdir(join(folder, name)).catch(() => []));
  return {
    files: items.filter((item) => !item.isDirectory()).map(({ name }) => name),
    folders,
    filesIn: (name) => inside.get(name) ?? [],
  };
}
