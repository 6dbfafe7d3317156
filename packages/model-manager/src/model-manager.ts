import type { PruneResult } from '@model-rtc/static-registry';
import { createContext, type ManagerContext } from './context.ts';
import { asModelError } from './errors.ts';
import { findInstalled, listInstalled, requireInstalled } from './installed.ts';
import { pinKey, pinnedKeys, unpinKey } from './pinned-keys.ts';
import { prune } from './prune.ts';
import { pruneTarget, publish } from './publish.ts';
import { pull } from './pull.ts';
import { type NameRef, parseNameRef, parseVersionRef, type VersionRef } from './reference.ts';
import { getRemote, getRemoteDetail, listRemote } from './remote.ts';
import { removeAllVersions, removeVersion } from './remove.ts';
import { publicKey } from './sign-keys.ts';
import type {
  InstalledModel,
  ModelManagerConfig,
  ModelManagerParts,
  PinnedKeys,
  Pruned,
  PruneRegistryOptions,
  PublishOptions,
  PublishResult,
  PullOptions,
  PullResult,
  RemoteModel,
  RemoteModelDetail,
  RemovedVersions,
  UpdateCheck,
} from './types.ts';
import { checkUpdates } from './updates.ts';

interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The models of a static registry, installed on this machine for one program. Any number of calls may run at once, also in several
 * managers and processes; nothing has to be closed. Every failure is a `ModelManagerError` with a `kind`.
 */
export class ModelManager {
  readonly #context: ManagerContext;

  /** @throws ModelManagerError `invalid_reference` for an `appName` that cannot name a folder */
  constructor(config: ModelManagerConfig, parts: ModelManagerParts = {}) {
    this.#context = createContext(config, parts);
  }

  /** The folder in which everything is kept. */
  get dataDir(): string {
    return this.#context.home;
  }

  /** Everything that is installed, sorted by name. */
  async listInstalled(): Promise<InstalledModel[]> {
    return await typed(() => listInstalled(this.#context));
  }

  /** Everything that the registry lists, in its order. @throws ModelManagerError `network`, `registry_invalid` */
  async listRemote({ signal }: SignalOption = {}): Promise<RemoteModel[]> {
    return await typed(() => listRemote(this.#context, {}, signal));
  }

  /** The versions of all models of a group. @throws ModelManagerError `model_not_found` when there is no such group; as `listRemote` */
  async listRemoteGroup(group: string, { signal }: SignalOption = {}): Promise<RemoteModel[]> {
    return await typed(() => listRemote(this.#context, { group }, signal));
  }

  /** The versions and aliases of a model. @throws ModelManagerError `model_not_found`; as `listRemote` */
  async listRemoteVersions(ref: NameRef, { signal }: SignalOption = {}): Promise<RemoteModel[]> {
    return await typed(() => listRemote(this.#context, parseNameRef(ref), signal));
  }

  /** What is installed of a version or alias; undefined when it is not. */
  async getInstalled(ref: VersionRef): Promise<InstalledModel | undefined> {
    return await typed(() => findInstalled(this.#context, parseVersionRef(ref)));
  }

  /** @throws ModelManagerError `model_not_found`, `version_not_found`; as `listRemote` */
  async getRemote(ref: VersionRef, { signal }: SignalOption = {}): Promise<RemoteModel> {
    return await typed(() => getRemote(this.#context, parseVersionRef(ref), signal));
  }

  /** With its size and files, for which the manifest is read. @throws ModelManagerError `hash_mismatch`; as `getRemote` */
  async getRemoteDetail(ref: VersionRef, { signal }: SignalOption = {}): Promise<RemoteModelDetail> {
    return await typed(() => getRemoteDetail(this.#context, parseVersionRef(ref), signal));
  }

  /**
   * Installs a version, or what an alias leads to: whole and verified, or not at all. What an earlier attempt fetched, and what any
   * model on this machine has, is not fetched again. Until a new content is whole, the old one is usable. Waits for another pull of the
   * same model.
   * @throws ModelManagerError `already_installed` without `force`; `hash_mismatch`, `storage`, `cancelled`; as `getRemote`
   */
  async pull(ref: VersionRef, options: PullOptions = {}): Promise<PullResult> {
    return await typed(() => pull(this.#context, parseVersionRef(ref), options));
  }

  /** Removes a version, or what an alias leads to. @throws ModelManagerError `not_installed`; `refused` while a transfer needs it */
  async remove(ref: VersionRef): Promise<RemovedVersions> {
    return await typed(() => removeVersion(this.#context, parseVersionRef(ref)));
  }

  /** Removes all versions of a model. @throws as `remove` */
  async removeAll(ref: NameRef): Promise<RemovedVersions> {
    return await typed(() => removeAllVersions(this.#context, parseNameRef(ref)));
  }

  /** The folder with a version's files. It stays the same when the version gets new content. @throws ModelManagerError `not_installed` */
  async path(ref: VersionRef): Promise<string> {
    return (await typed(() => requireInstalled(this.#context, parseVersionRef(ref)))).path;
  }

  /** Compares what is installed with what the registry has now, for one model or all. @throws as `listRemote` */
  async checkUpdate(ref?: NameRef, { signal }: SignalOption = {}): Promise<UpdateCheck[]> {
    return await typed(() => checkUpdates(this.#context, ref === undefined ? undefined : parseNameRef(ref), signal));
  }

  /** Removes what pulls that were broken off left behind. No installed model goes. */
  async prune({ signal }: SignalOption = {}): Promise<Pruned> {
    return await typed(() => prune(this.#context, signal));
  }

  /**
   * Publishes a model of this machine to a registry: content first, and the list that names it last. What is there is not written
   * again, so an attempt that was broken off goes on.
   * @param model - an id, an alias, a digest's beginning or a name, as `client` commands take it
   * @throws ModelManagerError `not_installed`, `invalid_reference`; `refused` when the version has another content; `hash_mismatch` when
   * the files changed since they were registered; `storage`
   */
  async publish(model: string, ref: VersionRef, options: PublishOptions): Promise<PublishResult> {
    return await typed(() => publish(this.#context, model, parseVersionRef(ref), options));
  }

  /** The public key that `publish` signs with: this machine's, which is made on first use, or that of a file. @throws ModelManagerError `storage` */
  async publicKey(keyFile?: string | undefined): Promise<string> {
    return await typed(() => publicKey(this.#context, keyFile));
  }

  /** The keys that are pinned on this machine, for any registry. */
  async pinnedKeys(): Promise<PinnedKeys[]> {
    return await typed(() => pinnedKeys(this.#context));
  }

  /** Pins a publisher's key for the registry: from now on, only what a pinned key signed is taken from there. @throws ModelManagerError `invalid_reference` */
  async pinKey(key: string): Promise<PinnedKeys> {
    return await typed(() => pinKey(this.#context, key));
  }

  /** @returns the keys that stay pinned @throws ModelManagerError `invalid_reference`; `model_not_found` when it is not pinned */
  async unpinKey(key: string): Promise<PinnedKeys> {
    return await typed(() => unpinKey(this.#context, key));
  }

  /** Removes the files of a registry that no version names, but for those of the last week. @throws ModelManagerError as `publish` */
  async pruneRegistry(to: string, options: PruneRegistryOptions = {}): Promise<PruneResult> {
    return await typed(() => pruneTarget(this.#context, to, options));
  }
}

async function typed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asModelError(error);
  }
}
