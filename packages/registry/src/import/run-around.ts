import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type FolderNames, isTelling, markOf } from '@model-rtc/formats';

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
