import {
  type ConsentedMesh,
  isNoConsent,
  type Mesh,
  type MeshModelHolders,
  noConsentError,
  withConsent,
} from '@model-rtc/mesh';
import { type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { ModelHolder, RemoteModel, RemoteModels } from '../types.ts';

export interface MeshModelsOptions {
  /** The meshes that this machine takes part in now. */
  readonly meshes: () => Promise<readonly Mesh[]>;
  /** Asks nodes of these meshes that have a model what its files are, one after the other. */
  readonly manifestFrom: (meshes: readonly ConsentedMesh[], digest: Digest, signal: AbortSignal) => Promise<Manifest>;
  /** Fetches a model from the nodes of these meshes that have it. @throws ModelRtcError `refused` where the policy does not allow it */
  readonly pullFrom: (meshes: readonly ConsentedMesh[], digest: Digest, signal: AbortSignal) => Promise<void>;
}

/** The models of meshes, for the bridge. It lists what all nodes have, and asks only those with consent for more than that. */
export function meshModels({ meshes, manifestFrom, pullFrom }: MeshModelsOptions): RemoteModels {
  return {
    async list() {
      const all = await Promise.all((await meshes()).map(async (mesh) => await mesh.models()));
      const byDigest = new Map<Digest, RemoteModel>();
      for (const held of all.flat()) byDigest.set(held.digest, toRemote(held, byDigest.get(held.digest)));
      return [...byDigest.values()];
    },
    async nodes() {
      const all = await Promise.all(
        (await meshes()).map(async (mesh) => (await mesh.nodes()).map((node) => ({ ...node, mesh: mesh.name }))),
      );
      return all.flat();
    },
    async find(ref) {
      const found: { readonly mesh: Mesh; readonly held: MeshModelHolders }[] = [];
      for (const mesh of await meshes()) {
        const held = await findIn(mesh, ref);
        if (held !== undefined) found.push({ mesh, held });
      }
      const [first] = found;
      if (found.some(({ held }) => held.digest !== first?.held.digest)) throw ambiguousMeshes(ref, found);
      return found.reduce<RemoteModel | undefined>((known, { held }) => toRemote(held, known), undefined);
    },
    manifest: async (digest, { signal }) => await manifestFrom(await having(await meshes(), digest), digest, signal),
    pull: async (digest, { signal }) => await pullFrom(await having(await meshes(), digest), digest, signal),
  };
}

/** Nobody chose the order of the meshes, so the first one decides nothing. */
function ambiguousMeshes(
  ref: string,
  found: readonly { readonly mesh: Mesh; readonly held: MeshModelHolders }[],
): ModelRtcError {
  const choices = found.map(({ mesh, held }) => `${held.digest.slice(0, 12)} (${mesh.name})`).join('; ');
  const sentence = `"${ref}" names different models in the meshes of this machine. Ask by the digest of one: ${choices}.`;
  return new ModelRtcError('ambiguous', sentence, { details: { digests: found.map(({ held }) => held.digest) } });
}

/** @param known - what another mesh says of it */
function toRemote({ digest, model, holders: held }: MeshModelHolders, known?: RemoteModel): RemoteModel {
  const holders = new Map<string, ModelHolder>((known?.holders ?? []).map((holder) => [holder.key, holder]));
  for (const { node, isWhole } of held) holders.set(node.key, { key: node.key, isWhole });
  return { ...model, digest, holders: [...holders.values()] };
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
 * The meshes in which someone who is present has the model, without nodes that have no consent. Who asked over HTTP does not wait for nodes
 * that are absent.
 * @throws ModelRtcError `refused` when only nodes without consent have it, `worker_offline` when nobody has it
 */
async function having(meshes: readonly Mesh[], digest: Digest): Promise<readonly ConsentedMesh[]> {
  const found: ConsentedMesh[] = [];
  let refusal: ModelRtcError | undefined;
  for (const mesh of meshes.map((each) => withConsent(each))) {
    try {
      const { holders = [] } = (await findIn(mesh, digest)) ?? {};
      if (holders.some(({ node }) => node.isPresent && node.isTrusted && !node.isSelf)) found.push(mesh);
      else if (mesh.leftOut().length > 0) refusal ??= noConsentError(mesh.name, mesh.leftOut());
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (!isNoConsent(known)) throw known;
      refusal ??= known;
    }
  }
  if (found.length > 0) return found;
  if (refusal !== undefined) throw refusal;
  const sentence = `No machine of the mesh that has model ${digest.slice(0, 12)} can be reached now. See who is there: model-rtc mesh peers.`;
  throw new ModelRtcError('worker_offline', sentence);
}
