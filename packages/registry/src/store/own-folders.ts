import { realpath } from 'node:fs/promises';
import { isInside } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import type { DataPaths } from './data-folder.ts';

/**
 * Refuses a place in the registry's folders for what a person wants written: a file put there would get lost, or get in the way of
 * a model.
 * @param path - absolute, its folder without links
 * @param what - `the archive`
 * @throws ModelRtcError `bad_argument`
 */
export async function refuseOwnFolders(path: string, paths: DataPaths, what: string): Promise<void> {
  const { models, staging, keys, chunkIndex, workers, hashCache, kept, configFile, dataSets, jobs } = paths;
  for (const own of [models, staging, keys, chunkIndex, workers, hashCache, kept, configFile, dataSets, jobs]) {
    const real = await realpath(own).catch(() => own);
    if (!isInside(path, real)) continue;
    const sentence = `${path} is in the registry's own folder. Choose a place for ${what} outside ${paths.root}.`;
    throw new ModelRtcError('bad_argument', sentence, { details: { path } });
  }
}
