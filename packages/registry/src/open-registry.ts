import { symlink } from 'node:fs/promises';
import { storageError } from '@model-rtc/files';
import { type Digest, type Log, parseAlias, silentLog } from '@model-rtc/protocol';
import { createArchives } from './archive/create.ts';
import { createCatalog } from './catalog/create.ts';
import { createChunkIndex } from './chunks/chunk-index.ts';
import { createLocatedChunks } from './chunks/located-chunks.ts';
import { modelHolders } from './chunks/model-holders.ts';
import type { LocatedChunks } from './chunks/types.ts';
import type { RegistryContext } from './context.ts';
import { createConversions } from './convert/conversions.ts';
import { requireFreeAlias } from './entry/aliases.ts';
import { toRegistryEntry } from './entry/registry-entry.ts';
import { requireModel, resolveNamed } from './entry/resolve.ts';
import type { ResolvedModel, ResolveOptions } from './entry/types.ts';
import { createEviction } from './eviction/create.ts';
import { Uses } from './eviction/uses.ts';
import { createExports } from './export/create.ts';
import { createFileSets } from './file-sets/create.ts';
import { checkFiles } from './files/check-files.ts';
import { createModelReader } from './files/model-reader.ts';
import { notesFolderOf, placeOf, readRegistered } from './files/registered-model.ts';
import type { CheckResult, ModelReader } from './files/types.ts';
import type { HashCache, PlanChunks } from './hash/types.ts';
import { importModel, realOriginal } from './import/import-model.ts';
import { installModel } from './import/install.ts';
import { refreshModel } from './import/refresh.ts';
import { removeLeftImports } from './import/staging.ts';
import type { ImportSteps } from './import/types.ts';
import { createInspection } from './inspect/inspection.ts';
import { createModelReading } from './inspect/model-reading.ts';
import type { ModelReading } from './inspect/types.ts';
import { createModelList } from './list/model-list.ts';
import { tagModel } from './manage/aliases.ts';
import { createManagement } from './manage/create.ts';
import type { Registry } from './registry.ts';
import { createRuns } from './runs/create.ts';
import { dataPaths } from './store/data-folder.ts';
import { prepareDataFolder } from './store/folder-modes.ts';
import { openIndexFile } from './store/index-file.ts';
import { needsRecovery } from './store/index-recovery.ts';
import { createManifestCache } from './store/manifest-cache.ts';
import { readStatsNote } from './store/model-notes.ts';
import { keepSpareRoom } from './store/spare-room.ts';
import { createValidation } from './validate/create.ts';
import { createVerification } from './verify/create.ts';
import { createSeenWorkers } from './workers/create.ts';

export interface OpenRegistryOptions {
  /** The data folder, from `dataFolder`. Created if missing. */
  readonly home: string;
  readonly log?: Log | undefined;
  readonly now?: (() => Date) | undefined;
  /** Replaces `symlink` of the file system. */
  readonly makeLink?: RegistryContext['makeLink'] | undefined;
  /** What reads into model files, from `startModelReading`; the registry closes it. One of its own starts when it is needed. */
  readonly reading?: ModelReading | undefined;
  /** Replaces the registry's own scanning and hashing. */
  readonly importSteps?: ImportSteps | undefined;
}

/**
 * Opens the registry of this machine, and finishes what a killed process left half-done.
 * @throws ModelRtcError `storage` when the folder cannot be used, `refused` when a newer version wrote it
 */
export async function openRegistry(options: OpenRegistryOptions): Promise<Registry> {
  const context = createContext(options);
  await prepareDataFolder(context.paths);
  const index = await context.index.read();
  if (await needsRecovery(context.paths, index)) await context.index.update(async () => ({ result: undefined }));
  await removeLeftImports(context.paths.staging);
  await keepSpareRoom(context.paths);
  return createRegistry(context, createLocatedChunks(modelHolders(context)));
}

function createContext({
  home,
  log = silentLog,
  now = () => new Date(),
  importSteps,
  makeLink = symlink,
  reading = createModelReading(),
}: OpenRegistryOptions): RegistryContext {
  const paths = dataPaths(home);
  let hashCache: HashCache | undefined;
  return {
    paths,
    log,
    now,
    makeLink,
    index: openIndexFile({ paths, log, now }),
    chunks: createChunkIndex(paths.chunkIndex, log),
    uses: new Uses(paths.uses, { log, now }),
    show: async (stored) => await toRegistryEntry(stored, paths.models),
    readManifest: createManifestCache(paths.models),
    reading,
    loadImportSteps: async () => importSteps ?? (await loadImportSteps(reading)),
    async loadHashCache() {
      const { createHashCache } = await import('./hash/hash-cache.ts');
      hashCache ??= createHashCache(paths.hashCache, { log, now });
      return hashCache;
    },
    async closeCaches() {
      await reading.close();
      await hashCache?.close();
    },
  };
}

async function loadImportSteps(reading: ModelReading): Promise<ImportSteps> {
  const { hashFiles } = await import('./hash/hash-files.ts');
  return {
    hashFiles: async (files, options = {}) => {
      const planChunks: PlanChunks = async (file) => await reading.run('planChunks', file, { signal: options.signal });
      return await hashFiles(files, { planChunks, ...options });
    },
    scanModel: async (path, options = {}) => await reading.run('scanModel', { path, options }),
  };
}

function createRegistry(context: RegistryContext, located: LocatedChunks): Registry {
  const { index, paths, show } = context;
  const modelList = createModelList(context);
  const close = async (): Promise<void> => {
    await located.close();
    await context.chunks.close();
    await context.closeCaches();
  };
  return {
    ...createManagement(context),
    ...createVerification(context),
    ...createValidation(context),
    ...createInspection(context),
    ...createArchives(context),
    ...createCatalog(context),
    ...createExports(context),
    ...createSeenWorkers(context, modelList),
    ...createFileSets(context),
    ...createRuns(context),
    ...createConversions(context),
    ...createEviction(context),
    paths,
    list: async (params) => await modelList.page(params),
    resolve: async (ref, options = {}) => await resolveModel(context, ref, options),
    async find(digest) {
      const stored = (await index.read()).byDigest.get(digest);
      return stored === undefined ? undefined : await show(stored);
    },
    manifest: async (digest) => await context.readManifest(await requireModel(context, digest)),
    importModel: async (path, options = {}) => {
      if (options.alias !== undefined) parseAlias(options.alias);
      return await importModel(context, path, options);
    },
    findModels: async (path, { signal, ...options } = {}) =>
      await context.reading.run('findModels', { path: await realOriginal(context, path), options }, { signal }),
    refresh: async (digest, options = {}) => await refreshModel(context, digest, options),
    stagedManifest: async (options) => {
      const steps = await import('./import/staged-manifest.ts');
      return await steps.stagedManifest(context, options);
    },
    async install(options) {
      if (options.alias !== undefined) parseAlias(options.alias);
      return await show(await installModel(context, options));
    },
    tag: async (ref, alias, options = {}) =>
      await show(await tagModel(context, ref, alias, options.overwrite ? 'overwrite' : options.aliasConflict)),
    async checkAlias(alias, forDigest) {
      requireFreeAlias(await index.read(), parseAlias(alias), forDigest);
    },
    check: async (digest) => await checkModel(context, digest),
    openModel: async (digest) => await openModel(context, digest),
    locateChunks: async (digests) => await located.locate(digests),
    readLocatedChunk: async (_digest, location, into) => await located.read(location, into),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function openModel(context: RegistryContext, digest: Digest): Promise<ModelReader> {
  const stored = await requireModel(context, digest);
  const release = await context.uses.hold(digest);
  try {
    return createModelReader(digest, await readRegistered(context, stored), release);
  } catch (error) {
    await release();
    throw error;
  }
}

async function resolveModel(context: RegistryContext, ref: string, options: ResolveOptions): Promise<ResolvedModel> {
  const { stored, resolvedBy } = await resolveNamed(context, await context.index.read(), ref, options);
  return { entry: await context.show(stored), resolvedBy };
}

async function checkModel(context: RegistryContext, digest: Digest): Promise<CheckResult> {
  const stored = await requireModel(context, digest);
  const place = placeOf(context.paths, stored);
  try {
    return await checkFiles(place, await readStatsNote(notesFolderOf(context.paths, stored)));
  } catch (thrown) {
    return { valid: false, problems: [{ path: '', problem: storageError(thrown, place.path, 'read').message }] };
  }
}
