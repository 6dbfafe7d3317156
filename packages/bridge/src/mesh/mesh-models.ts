import type { Mesh, MeshModelHolders } from '@model-rtc/mesh';
import { type Digest, type Manifest, ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import type { RemoteModel, RemoteModels } from '../types.ts';

/** A worker that has a model, or a part of it. */
export interface HolderSession {
  readonly name: string;
  readonly session: SessionToken;
}

export interface MeshModelsOptions {
  /** The meshes that this machine takes part in now. */
  readonly meshes: () => Promise<readonly Mesh[]>;
  /** Asks one worker what the files of a model are. */
  readonly manifestFrom: (holder: HolderSession, digest: Digest, signal: AbortSignal) => Promise<Manifest>;
  /** Fetches a model from all of them at once. @throws ModelRtcError `refused` where the policy does not allow it */
  readonly pullFrom: (holders: readonly HolderSession[], digest: Digest, signal: AbortSignal) => Promise<void>;
}

/** Workers that one model is fetched from at once; more bring nothing, and each takes a connection. */
const MAX_HOLDERS = 16;
/** Workers that are asked for a manifest, one after the other. */
const MAX_ASKED = 3;

/** The models of meshes, for the bridge. */
export function meshModels({ meshes, manifestFrom, pullFrom }: MeshModelsOptions): RemoteModels {
  return {
    async list() {
      const all = await Promise.all((await meshes()).map(async (mesh) => await mesh.models()));
      const byDigest = new Map(all.flat().map((held) => [held.digest, toRemote(held)]));
      return [...byDigest.values()];
    },
    async find(ref) {
      for (const mesh of await meshes()) {
        const held = await findIn(mesh, ref);
        if (held !== undefined) return toRemote(held);
      }
      return undefined;
    },
    async manifest(digest, { signal }) {
      const asked = (await holdersOf(await meshes(), digest)).slice(0, MAX_ASKED);
      let failure: unknown;
      for (const holder of asked) {
        try {
          return await manifestFrom(holder, digest, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          failure ??= error;
        }
      }
      throw failure;
    },
    async pull(digest, { signal }) {
      await pullFrom(await holdersOf(await meshes(), digest), digest, signal);
    },
  };
}

function toRemote({ digest, model }: MeshModelHolders): RemoteModel {
  return { ...model, digest };
}

async function findIn(mesh: Mesh, ref: string): Promise<MeshModelHolders | undefined> {
  try {
    return await mesh.find(ref);
  } catch (error) {
    if (ModelRtcError.from(error).code === 'not_found') return undefined;
    throw error;
  }
}

/**
 * Sessions for those who have it, whole ones and reliable ones first.
 * @throws ModelRtcError `worker_offline` when none of them can be reached
 */
async function holdersOf(meshes: readonly Mesh[], digest: Digest): Promise<HolderSession[]> {
  const found = new Map<string, HolderSession>();
  for (const mesh of meshes) {
    const held = await findIn(mesh, digest);
    const others = (held?.holders ?? [])
      .filter(({ node }) => node.isPresent && node.isTrusted && !node.isSelf)
      .sort((a, b) => Number(b.isWhole) - Number(a.isWhole) || b.node.reliability - a.node.reliability);
    for (const { node } of others) {
      if (found.has(node.key) || found.size >= MAX_HOLDERS) continue;
      const session = await mesh.session(node.key).catch(() => undefined);
      if (session !== undefined) found.set(node.key, { name: node.name, session });
    }
  }
  if (found.size > 0) return [...found.values()];
  const sentence = `No machine of the mesh that has model ${digest.slice(0, 12)} can be reached now. See who is there: model-rtc mesh peers.`;
  throw new ModelRtcError('worker_offline', sentence);
}
