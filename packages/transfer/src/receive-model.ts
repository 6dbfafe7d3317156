import type { Alias, Digest, IfExists, Log, Manifest, ModelEntry, ModelSource } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { type PullOutcome, pull } from './pull.ts';
import type { OnTransferProgress } from './session/progress.ts';
import type { Watchdog } from './session/watchdog.ts';
import type { ChunkSource } from './sources/source.ts';

export interface ReceiveOptions {
  readonly registry: Registry;
  readonly manifest: Manifest;
  readonly digest: Digest;
  /** What the other side says of the model. */
  readonly entry: ModelEntry;
  readonly alias: Alias | undefined;
  /** `overwrite` also takes the alias over from a model that has it. */
  readonly ifExists: IfExists;
  readonly source: ModelSource;
  readonly sources: readonly ChunkSource[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnTransferProgress | undefined;
  readonly watchdog?: Watchdog | undefined;
  readonly log?: Log | undefined;
}

export interface ReceivedModel {
  readonly entry: RegistryEntry;
  readonly outcome: PullOutcome;
}

/**
 * The model of this digest, when it is in the registry and all its files are as they were when they were verified: then
 * nothing has to be fetched.
 */
export async function intactModel(registry: Registry, digest: Digest): Promise<RegistryEntry | undefined> {
  const entry = await registry.find(digest);
  return entry !== undefined && (await registry.check(digest)).valid ? entry : undefined;
}

/**
 * Fetches a model and installs it in the registry, whole or not at all: the same for a client that pulls and for a worker
 * that is pushed to.
 *
 * @throws ModelRtcError what `pull` and `Registry.install` throw; `alias_taken` before anything is fetched.
 */
export async function receiveModel(options: ReceiveOptions): Promise<ReceivedModel> {
  const { registry, manifest, digest, alias, ifExists, source } = options;
  const takeOver = ifExists === 'overwrite';
  if (alias !== undefined && !takeOver) await registry.checkAlias(alias, digest);
  const { sources, signal, onProgress, watchdog, log } = options;
  const { staging } = registry.paths;
  const outcome = await pull({
    manifest,
    digest,
    sources,
    staging,
    local: registry,
    signal,
    onProgress,
    watchdog,
    log,
  });
  try {
    const installed = await registry.install({
      filesFolder: outcome.filesFolder,
      manifest,
      entry: options.entry,
      alias: takeOver ? undefined : alias,
      source,
      // What was there is not whole, or is to be replaced: a whole one is not fetched in the first place.
      ifExists: 'overwrite',
    });
    const entry = takeOver && alias !== undefined ? await registry.tag(digest, alias, { overwrite: true }) : installed;
    return { entry, outcome };
  } finally {
    await outcome.release();
  }
}
