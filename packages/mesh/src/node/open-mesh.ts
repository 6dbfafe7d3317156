import { join } from 'node:path';
import { isLocked } from '@model-rtc/files';
import { type Clock, type Log, ModelRtcError, type SessionToken, silentLog, systemClock } from '@model-rtc/protocol';
import { dataPaths, loadIdentity, loadIdentitySeed } from '@model-rtc/registry';
import type { Agent } from '@model-rtc/transport';
import { sharedSecretsOf } from '../core/index.ts';
import { HintBook } from '../select/hints.ts';
import type {
  ConsentRule,
  Mesh,
  MeshMember,
  MeshModelFilter,
  MeshModelHolders,
  MeshNodeInfo,
  MeshOutcome,
  MeshReach,
} from '../types.ts';
import { findModel, mergeModels } from './merge-models.ts';
import { nodeInfos, readReach } from './node-infos.ts';
import { openMeshView } from './records/open-mesh-view.ts';
import type { StoredMeshView } from './records/stored-view.ts';
import { MeshSessions } from './sessions.ts';
import type { JsonFile } from './state/json-file.ts';
import { type JoinedMesh, joinedMesh, meshFolder } from './state/mesh-folders.ts';
import { openRecordCache, type RecordCache } from './state/record-cache.ts';
import { type Scores, scoresFile, withOutcome } from './state/scores.ts';
import { visitMesh } from './visit-mesh.ts';

export interface OpenMeshOptions {
  /** The data folder. */
  readonly root: string;
  /** The only one that this machine joined when left out. */
  readonly name?: string | undefined;
  readonly agent: Agent;
  /** Whether members are looked for on the local network; true when left out. */
  readonly usesMdns?: boolean | undefined;
  /** `ask` when left out. */
  readonly consentRule?: ConsentRule | undefined;
  readonly log?: Log | undefined;
  readonly clock?: Clock | undefined;
}

/** How often it is looked whether another process wrote something. */
const LOOK_MS = 1_000;
const REFRESH_MS = 4_000;

/**
 * Opens a mesh for any process of this machine, with what is known here.
 * @throws ModelRtcError `not_found_locally` when this machine joined none of the name, `ambiguous` when it joined several and none is named,
 * `storage`
 */
export async function openMesh(options: OpenMeshOptions): Promise<Mesh> {
  const { root, name, log = silentLog } = options;
  const joined = await joinedMesh(root, name, log);
  const { keys } = dataPaths(root);
  const cache = await openRecordCache(meshFolder(root), log);
  const view = await openMeshView({ joined, cache, keysFolder: keys, log });
  const [identity, seed] = [await loadIdentity(keys), await loadIdentitySeed(keys)];
  const sessions = new MeshSessions(joined.mesh.id, identity.publicKey, sharedSecretsOf(seed));
  return new OpenMesh({ options, joined, cache, view, sessions });
}

interface OpenMeshParts {
  readonly options: OpenMeshOptions;
  readonly joined: JoinedMesh;
  readonly cache: RecordCache;
  readonly view: StoredMeshView;
  readonly sessions: MeshSessions;
}

class OpenMesh implements Mesh {
  readonly name: string;
  readonly id: string;
  readonly selfKey: string;
  readonly #parts: OpenMeshParts;
  readonly #scores: JsonFile<Scores>;
  readonly #clock: Clock;
  readonly #hints = new HintBook();
  readonly #listeners = new Set<() => void>();
  /** How this process reached members when it asked them. */
  #reach: ReadonlyMap<string, MeshReach> = new Map();
  #stopTimer: (() => void) | undefined;

  constructor(parts: OpenMeshParts) {
    this.#parts = parts;
    const { mesh, folder } = parts.joined;
    this.name = mesh.name;
    this.id = mesh.id;
    this.selfKey = parts.view.ownKey;
    this.#scores = scoresFile(folder);
    this.#clock = parts.options.clock ?? systemClock;
  }

  async members(): Promise<readonly MeshMember[]> {
    await this.#parts.view.reload();
    return this.#parts.view.members();
  }

  async nodes(): Promise<readonly MeshNodeInfo[]> {
    const { view, joined, cache, options } = this.#parts;
    await view.reload();
    const { distrusted } = await joined.trust.read();
    const agreed = new Set((await joined.consents.read()).consents.map(({ key }) => key));
    const hasWorker = await this.#hasWorker();
    return nodeInfos({
      ...{ view, hasWorker, ownName: joined.mesh.nodeName, scores: await this.#scores.read(), nowMs: Date.now() },
      hints: this.#hints,
      distrusted: new Set(distrusted.map(({ key }) => key)),
      hasConsent: (key) => options.consentRule === 'members' || agreed.has(key),
      reach: hasWorker ? readReach(cache, this.id) : this.#reach,
    });
  }

  async models(filter: MeshModelFilter = {}): Promise<readonly MeshModelHolders[]> {
    const nodes = await this.nodes();
    return mergeModels(nodes, (key) => this.#parts.view.modelsOf(key), filter);
  }

  async find(ref: string): Promise<MeshModelHolders> {
    return findModel(await this.models({ includeAbsent: true }), ref, this.name);
  }

  async session(nodeKey: string): Promise<SessionToken> {
    const { view, sessions, joined } = this.#parts;
    await view.reload();
    const member = view.members().find(({ key }) => key === nodeKey);
    if (member === undefined)
      throw new ModelRtcError(
        'not_found',
        `No member of the mesh ${this.name} has the key ${nodeKey.slice(0, 16)}. List them: model-rtc mesh peers.`,
      );
    const contact = joined.mesh.contacts.find(({ key }) => key === nodeKey);
    const known = [...(view.catalogOf(nodeKey)?.urls ?? []), ...(contact?.urls ?? []), ...joined.mesh.signalingUrls];
    const urls = [...new Set(known)].slice(0, MAX_URLS);
    if (urls.length === 0)
      throw new ModelRtcError(
        'worker_offline',
        `No address of ${member.name} is known yet. Start model-rtc worker there.`,
      );
    return sessions.sessionFor(nodeKey, urls, view.scopesOf(this.selfKey) ?? ['read']);
  }

  async refresh({
    signal,
    waitMs = REFRESH_MS,
  }: {
    readonly signal: AbortSignal;
    readonly waitMs?: number | undefined;
  }): Promise<void> {
    const { joined, options } = this.#parts;
    // The worker hears everything, and writes it to the cache that is read here.
    if (await this.#hasWorker()) return;
    const { root, agent, usesMdns = true, log } = options;
    this.#reach = await visitMesh({ root, joined, agent, usesMdns, log }, async (visit) => {
      await visit.untilHeard({ waitMs, signal });
      return visit.reach();
    });
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#stopTimer ??= this.#watch();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    };
  }

  async noteOutcome(nodeKey: string, outcome: MeshOutcome): Promise<void> {
    await this.#scores.update((scores) => withOutcome(scores, nodeKey, outcome, new Date()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTimer?.();
    await this.#parts.cache.close();
  }

  #watch(): () => void {
    const { cache } = this.#parts;
    let seen = cache.version();
    return this.#clock.every(LOOK_MS, () => {
      const version = cache.version();
      if (version === seen) return;
      seen = version;
      for (const listener of this.#listeners) listener();
    });
  }

  async #hasWorker(): Promise<boolean> {
    return await isLocked(join(this.#parts.options.root, 'worker.lock'));
  }
}

/** What a session token holds at most. */
const MAX_URLS = 16;
