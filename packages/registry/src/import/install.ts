import { join } from 'node:path';
import { type Manifest, type ModelSource, manifestDigest, readManifest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { StoredEntry } from '../entry/types.ts';
import type { FileStat } from '../store/types.ts';
import { type EntryDraft, type LookedInto, placeModel } from './place-model.ts';
import { receivedDraft } from './received-entry.ts';
import { modelModes, requireStaged, settleFiles } from './settle-files.ts';
import type { InstallOptions } from './types.ts';

/** Registers a model whose verified files lie in a staged folder. */
export async function installModel(context: RegistryContext, options: InstallOptions): Promise<StoredEntry> {
  const { filesFolder, alias, aliasConflict, source, ifExists, keepsEntry, additions } = options;
  const manifest = await readManifest(options.manifest);
  requireStaged(context.paths.staging, filesFolder);
  const stats = await settleFiles(filesFolder, manifest, await modelModes(context.paths));
  const looked = await inspectStaged(context, options, manifest, stats);
  const found = SAYS_LITTLE.has(source) ? await factsOfStaged(context, options) : {};
  // What a hub's card says of these comes first: an adapter may name its base by a path of the machine that trained it.
  const { lineage = found.lineage, license = found.license } = options.entry;
  const { lineage: _, license: __, ...told } = found;
  const name = additions?.name ?? options.entry.name;
  const { stored } = await placeModel(context, {
    staged: filesFolder,
    digest: manifestDigest(manifest),
    manifest,
    stats,
    draft: {
      ...receivedDraft({ ...options.entry, name, lineage, license }, source),
      ...told,
      source,
      ...looked,
      ...arrival(source, context.now()),
    },
    takesName: additions?.takesName,
    importedWith: additions?.importedWith,
    licenseAccepted: additions?.licenseAccepted,
    alias,
    aliasConflict,
    keepsEntry,
    // Whoever brings a whole model once more is told when it is here under another alias.
    ifExists: ifExists === 'skip' ? undefined : ifExists,
    linked: false,
    originalPath: undefined,
  });
  return stored;
}

/** Where models come from that nobody looked into. */
const SAYS_LITTLE: ReadonlySet<ModelSource> = new Set(['static-registry', 'hub']);

/** A static registry says little of its models, and a hub too: what an import finds in such files counts. Nothing where it finds no model. */
async function factsOfStaged(
  { loadImportSteps }: Pick<RegistryContext, 'loadImportSteps'>,
  { filesFolder, signal }: InstallOptions,
): Promise<Partial<EntryDraft>> {
  const steps = await loadImportSteps();
  try {
    const { facts } = await steps.scanModel(filesFolder, { isExact: true, asOne: true });
    const { modelType, framework, backbone, checkpointPath, configPath, metrics, hyperparameters, versions } = facts;
    const of = { lineage: facts.lineage, license: facts.license };
    const said = {
      modelType,
      framework,
      backbone,
      checkpointPath,
      configPath,
      metrics,
      hyperparameters,
      versions,
      ...of,
    };
    return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  } catch {
    signal?.throwIfAborted();
    return {};
  }
}

/** Whoever sends a model is not believed when they say that it is safe, or whole. What is refused stays staged, and unseen. */
async function inspectStaged(
  { reading }: RegistryContext,
  { filesFolder, entry, safeOnly, signal }: InstallOptions,
  manifest: Manifest,
  stats: readonly FileStat[],
): Promise<LookedInto> {
  const { AS_IS, inspectFiles } = await import('../inspect/code-files.ts');
  const files = manifest.files.map(({ path, size }, i) => {
    const { mtimeNs } = stats[i] as FileStat;
    return { path, size, mode: 0, mtimeNs, absolutePath: join(filesFolder, path) };
  });
  const { findComponents, findIncomplete, toIncomplete } = await import('../inspect/find-incomplete.ts');
  const codeFiles = await inspectFiles(reading, files, { safeOnly, signal, isUnknown: entry.framework === AS_IS });
  const flaws = await findIncomplete(reading, files, signal);
  return {
    codeFiles,
    incomplete: toIncomplete(flaws),
    components: await findComponents(reading, files, flaws, signal),
  };
}

/** An archive is imported, all else comes over a network. */
function arrival(source: ModelSource, now: Date): Pick<EntryDraft, 'importedAt' | 'downloadedAt'> {
  const time = now.toISOString();
  return source === 'local-import' ? { importedAt: time } : { downloadedAt: time };
}
