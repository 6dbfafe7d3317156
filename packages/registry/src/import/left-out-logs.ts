import { logFolders } from '@model-rtc/formats';
import type { FileChoice } from './file-choice.ts';
import type { FoundFiles } from './walk-folder.ts';

/** What was found, without the folders of logs that are no part of a model. Files in them that a person wants stay. */
export function withoutLogs(found: FoundFiles, choice: FileChoice): FoundFiles {
  const { files, skipped } = found;
  const folders = logFolders([...files, ...skipped].map(({ path }) => path));
  if (folders.length === 0) return found;
  const folderOf = (path: string) => folders.find((folder) => path.startsWith(`${folder.path}/`));
  const out = new Map(folders.map((folder) => [folder, { bytes: 0, files: 0 }]));
  const kept = files.filter(({ path, size }) => {
    const folder = choice.includes(path) ? undefined : folderOf(path);
    const count = folder === undefined ? undefined : out.get(folder);
    if (count === undefined) return true;
    count.bytes += size;
    count.files += 1;
    return false;
  });
  const inLogs = skipped.flatMap((one) => {
    const folder = folderOf(one.path);
    return folder === undefined ? [] : [{ ...one, folder }];
  });
  for (const { folder, bytes = 0, files: count = 1 } of inLogs) {
    const total = out.get(folder);
    if (total !== undefined) Object.assign(total, { bytes: total.bytes + bytes, files: total.files + count });
  }
  const logs = [...out].map(([{ path, holdsWeights }, count]) => ({
    path,
    reason: holdsWeights ? 'training logs, with weights that are not part of this model' : 'training logs',
    ...count,
  }));
  const others = skipped.filter(({ path }) => folderOf(path) === undefined);
  return { ...found, files: kept, skipped: [...others, ...logs].sort((a, b) => (a.path < b.path ? -1 : 1)) };
}
