import type { RegistryContext } from '../context.ts';
import { entriesAt } from '../entry/registry-index.ts';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import { clearAway, takeOut } from '../manage/remove-model.ts';
import type { Runs } from './types.ts';

/**
 * The command that resumes an interrupted run; run it in the run's folder. Undefined for any other model, and for tools
 * without such a command.
 */
export function resumeCommand(entry: Pick<StoredEntry, 'status' | 'digest' | 'resumeCommand'>): string | undefined {
  return entry.digest === undefined && entry.status === 'interrupted' ? entry.resumeCommand : undefined;
}

/** Loads the code that reads files on first use, since loading its parsers takes time. */
export function createRuns(context: RegistryContext): Runs {
  const { index, show } = context;
  return {
    recordRun: async (run) => await show(await (await import('./record-run.ts')).recordRun(context, run)),
    forgetRun: async (path) => await forgetFound(context, path),
    findPlaces: async (root) => await (await import('./find-places.ts')).findPlaces(root, [context.paths.root]),
    lookAt: async (place) => await (await import('./look-at-place.ts')).lookAt(place),
    takeFound: async (place, options) => await (await import('./import-found.ts')).takeFound(context, place, options),
    recordReports: async (reports) =>
      await (await import('./folder-reports.ts')).writeReports(context.paths.folderReports, reports),
    folderReports: async () => await (await import('./folder-reports.ts')).readReports(context.paths.folderReports),
    async listFound(foundIn) {
      const all = [...(await index.read()).byId.values()];
      const found = all.filter(
        (stored) => stored.foundIn !== undefined && stored.foundIn === (foundIn ?? stored.foundIn),
      );
      return await Promise.all(found.map(show));
    },
  };
}

/** Removes what was found at a path. A model that a person imported from there stays. */
async function forgetFound(context: RegistryContext, path: string): Promise<void> {
  if (foundAt(await context.index.read(), path).length === 0) return;
  const leaving = await context.index.update(async (index) => {
    const found = foundAt(index, path);
    const result = await Promise.all(found.map((stored) => takeOut(context, stored, 'deleting')));
    return { result, remove: found.map(({ id }) => id) };
  });
  for (const model of leaving) await clearAway(context, model);
}

function foundAt(index: RegistryIndex, path: string): StoredEntry[] {
  return entriesAt(index, path).filter(({ digest, foundIn }) => digest === undefined || foundIn !== undefined);
}
