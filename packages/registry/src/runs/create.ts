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
    async recordRun(run) {
      const { recordRun } = await import('./record-run.ts');
      return await show(await recordRun(context, run));
    },
    forgetRun: async (path) => await forgetFound(context, path),
    async findPlaces(root) {
      const { findPlaces } = await import('./find-places.ts');
      return await findPlaces(root, [context.paths.root]);
    },
    async lookAt(place) {
      const { lookAt } = await import('./look-at-place.ts');
      return await lookAt(place);
    },
    async takeFound(place, options) {
      const { takeFound } = await import('./import-found.ts');
      return await takeFound(context, place, options);
    },
    async recordReports(reports) {
      const { writeReports } = await import('./folder-reports.ts');
      await writeReports(context.paths.folderReports, reports);
    },
    async folderReports() {
      const { readReports } = await import('./folder-reports.ts');
      return await readReports(context.paths.folderReports);
    },
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
