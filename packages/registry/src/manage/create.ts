import type { RegistryContext } from '../context.ts';
import { freePair, ownersOf } from '../entry/full-names.ts';
import { manifestOwner, releaseOwner } from '../entry/releases.ts';
import { resolveNamed } from '../entry/resolve.ts';
import type { StoredEntry } from '../entry/types.ts';
import { aliasHistory, rollbackAlias, untagModel } from './aliases.ts';
import { changeReleases, updateModel } from './change-entry.ts';
import { createLineageIndex, type StoredLink } from './lineage.ts';
import { planCleaning } from './plan-cleaning.ts';
import { removeModel } from './remove-model.ts';
import type { LineageLink, Management } from './types.ts';
import { keepUnknownFolder, listUnknownFolders } from './unknown-folders.ts';

export function createManagement(context: RegistryContext): Management {
  const { index, show } = context;
  const shownLink = async ({ name, stored }: StoredLink): Promise<LineageLink> =>
    stored === undefined ? { name } : { name, entry: await show(stored) };

  const shown = async (stored: StoredEntry | undefined) => (stored === undefined ? undefined : await show(stored));

  return {
    update: async (ref, changes) => await show(await updateModel(context, ref, changes)),
    untag: async (alias) => await show(await untagModel(context, alias)),
    remove: async (ref, options = {}) => await removeModel(context, ref, options),
    async history(ref) {
      const { alias, records } = await aliasHistory(context, ref);
      const entries = records.map(async ({ stored, since, until }) => ({
        entry: await show(stored),
        alias,
        since,
        until,
      }));
      return { alias, records: await Promise.all(entries) };
    },
    async rollback(alias, to) {
      const { stored, from } = await rollbackAlias(context, alias, to);
      return { entry: await show(stored), from: from && (await show(from)) };
    },
    async namesTaken(wanted) {
      const known = await index.read();
      const owners = ownersOf(known, wanted);
      if (owners.length === 0) return undefined;
      return { owners: await Promise.all(owners.map(show)), free: freePair(known, wanted) };
    },
    async fromHub(repo) {
      const models = [...(await index.read()).byId.values()].filter(({ hub }) => hub !== undefined);
      return await Promise.all(models.filter(({ hub }) => repo === undefined || hub?.repo === repo).map(show));
    },
    findRelease: async (release) => await shown(releaseOwner(await index.read(), release)),
    findByManifest: async (manifest) => await shown(manifestOwner(await index.read(), manifest)),
    changeReleases: async (digest, change) => await show(await changeReleases(context, digest, change)),
    async lineage(ref) {
      const known = await index.read();
      const { stored } = await resolveNamed(context, known, ref);
      const lineage = createLineageIndex(known);
      return {
        entry: await show(stored),
        parents: await Promise.all(lineage.parentsOf(stored).map(shownLink)),
        ancestors: await Promise.all(lineage.chainOf(stored).map(shownLink)),
        children: await Promise.all(lineage.childrenOf(stored).map(show)),
      };
    },
    planCleaning: async (options = {}) => await planCleaning(context, options),
    unknownFolders: async () => await listUnknownFolders(context),
    keepUnknownFolder: async (folder) => await keepUnknownFolder(context, folder),
  };
}
