import type { RemoteModels } from '@model-rtc/bridge';
import type { Mesh } from '@model-rtc/mesh';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import { auditedPull } from '../../console/audited-pull.ts';
import type { Context } from '../../console/context.ts';
import { consentRule } from '../../console/settings.ts';
import { packageVersion } from '../../package.ts';
import { agentOptions } from '../connect.ts';
import { nodeName } from '../mesh/options.ts';
import type { NetworkOptions } from '../options.ts';

export interface BridgeMeshFlags extends Omit<NetworkOptions, 'lane' | 'where' | 'best'> {
  /** The only mesh to look at; `false` for none. */
  readonly mesh?: string | boolean | undefined;
  readonly safeOnly?: boolean | undefined;
}

/** How often it is looked whether this machine joined or left a mesh. */
const LOOK_MS = 3_000;

export interface BridgeMeshes extends AsyncDisposable {
  readonly remote: RemoteModels;
}

/** The models of the meshes that this worker takes part in, for its bridge; those that it joins later included. */
export async function openBridgeMeshes(context: Context, flags: BridgeMeshFlags): Promise<BridgeMeshes> {
  const [{ meshModels }, { connectAll }] = [await import('@model-rtc/bridge'), await import('@model-rtc/client')];
  const meshes = new JoinedMeshes(context, flags.mesh);
  const agent = await agentOptions(context, { ...flags, lane: 'auto', where: undefined, best: undefined });
  const nodesOf = (of: readonly Mesh[]) => connectAll({ ...agent, sessions: [], meshes: of });
  const remote = meshModels({
    meshes: () => meshes.now(),
    async manifestFrom(having, digest, signal) {
      await using nodes = nodesOf(having);
      return await nodes.manifest(digest, { signal });
    },
    async pullFrom(having, digest, signal) {
      await using nodes = nodesOf(having);
      // Nobody is asked: the model comes without its alias where this machine has given that to another one.
      const how = { isName: true, aliasConflict: 'keep', safeOnly: flags.safeOnly } as const;
      await auditedPull(context, { ref: digest, by: 'http bridge' }, () => nodes.pullModel(digest, { ...how, signal }));
    },
  });
  return { remote: await withAudit(context, remote), [Symbol.asyncDispose]: () => meshes.close() };
}

/** Notes what was refused because nobody agreed to those who have it. A tool may ask again and again. */
async function withAudit({ home, log }: Context, remote: RemoteModels): Promise<RemoteModels> {
  const { isNoConsent, noConsentEntry, OccasionalNotes } = await import('@model-rtc/mesh');
  const notes = new OccasionalNotes(home, log);
  const noting = async <T>(digest: Digest, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (thrown) {
      const error = ModelRtcError.from(thrown);
      if (isNoConsent(error)) await notes.note(noConsentEntry(digest, error, 'http bridge'));
      throw error;
    }
  };
  return {
    ...remote,
    manifest: (digest, options) => noting(digest, remote.manifest(digest, options)),
    pull: (digest, options) => noting(digest, remote.pull(digest, options)),
  };
}

/** The meshes that this machine is in, opened once each. */
class JoinedMeshes {
  readonly #context: Context;
  readonly #wanted: string | boolean | undefined;
  readonly #open = new Map<string, Promise<Mesh>>();
  /** Those that this machine left. They are closed at the end: a request or a pull may still read them. */
  readonly #left: Promise<Mesh>[] = [];
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(context: Context, wanted: string | boolean | undefined) {
    this.#context = context;
    this.#wanted = wanted;
  }

  async now(): Promise<readonly Mesh[]> {
    const nowMs = performance.now();
    if (this.#wanted !== false && nowMs - this.#lookedAtMs > LOOK_MS) {
      this.#lookedAtMs = nowMs;
      await this.#look();
    }
    return await Promise.all(this.#open.values());
  }

  async close(): Promise<void> {
    const all = [...this.#left, ...this.#open.values()];
    this.#open.clear();
    for (const opened of await Promise.allSettled(all))
      if (opened.status === 'fulfilled') await opened.value[Symbol.asyncDispose]();
  }

  async #look(): Promise<void> {
    const { joinedMeshes, openMesh } = await import('@model-rtc/mesh');
    const { log } = this.#context;
    const rule = await consentRule(this.#context.home);
    const { root } = (await this.#context.registry()).paths;
    const agent = { name: await nodeName(this.#context), version: packageVersion() };
    const isWanted = (name: string, id: string): boolean =>
      typeof this.#wanted !== 'string' || name === this.#wanted || id.startsWith(this.#wanted);
    const joined = (await joinedMeshes(root, log)).filter(({ mesh }) => isWanted(mesh.name, mesh.id));
    const ids = joined.map(({ mesh }) => mesh.id);
    for (const [id, mesh] of this.#open) {
      if (ids.includes(id)) continue;
      this.#open.delete(id);
      this.#left.push(mesh);
    }
    for (const id of ids) {
      if (this.#open.has(id)) continue;
      const opened = openMesh({ root, name: id, agent, consentRule: rule, log });
      this.#open.set(id, opened);
      // Whoever asks now gets the reason; the next look tries again.
      opened.catch(() => this.#open.delete(id));
    }
  }
}
