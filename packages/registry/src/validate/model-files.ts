import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapLimit } from '@model-rtc/files';
import type { CheckResult } from '@model-rtc/formats/validation';
import { formatBytes, type Manifest, modelSize } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { StoredEntry } from '../entry/types.ts';
import { describeUnreadable, insideTest } from '../files/check-files.ts';
import { notesFolderOf, placeOf } from '../files/registered-model.ts';
import type { FileProblem } from '../files/types.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import { strayFiles } from '../verify/find-orphans.ts';
import { listed, listedProblems } from './results.ts';

const FILES_AT_ONCE = 32;

/** A model's files as they are on the disk now. */
export interface FoundFiles {
  readonly result: CheckResult;
  /** Those that are there with their size. */
  readonly files: readonly ScannedFile[];
}

/** Whether all files of a model are there with their sizes, and no other ones. */
export async function findModelFiles(
  context: RegistryContext,
  stored: StoredEntry,
  manifest: Manifest,
): Promise<FoundFiles> {
  const place = placeOf(context.paths, stored);
  const inside = insideTest(place);
  const problems: FileProblem[] = [];
  const found = await mapLimit(
    manifest.files,
    FILES_AT_ONCE,
    async ({ path, size }): Promise<ScannedFile | undefined> => {
      const absolutePath = join(place.path, path);
      try {
        const now = await stat(absolutePath, { bigint: true });
        const isPlain = now.isFile() && (await inside(absolutePath));
        if (isPlain && now.size === BigInt(size)) return { path, absolutePath, size, mode: 0, mtimeNs: now.mtimeNs };
        problems.push({
          path,
          problem: isPlain ? `it has ${now.size} bytes, not ${size}` : 'it is no plain file of the model',
        });
      } catch (thrown) {
        problems.push({ path, problem: await describeUnreadable(absolutePath, thrown) });
      }
      return undefined;
    },
  );
  const files = found.filter((file) => file !== undefined);
  if (problems.length > 0)
    return { result: { check: 'files', outcome: 'failed', detail: listedProblems(problems) }, files };
  const folder = notesFolderOf(context.paths, stored);
  const stray = await strayFiles(context, folder, stored, context.now().getTime());
  const extra = stray.filter(({ kind }) => kind === 'file').map(({ path }) => path.slice(folder.length + 1));
  if (extra.length > 0) {
    const detail = `Not part of the model: ${listed(extra)}.`;
    return { result: { check: 'files', outcome: 'warning', detail }, files };
  }
  const count = files.length === 1 ? '1 file is' : `${files.length} files are`;
  const detail = `${count} there with the right sizes (${formatBytes(modelSize(manifest))}).`;
  return { result: { check: 'files', outcome: 'passed', detail }, files };
}
