import type { RemoteModels } from '@model-rtc/bridge';
import type { Mesh } from '@model-rtc/mesh';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import { auditedPull } from '../../console/audited-pull.ts';
import type { Context } from '../../console/context.ts';
import { agentOptions } from '../connect.ts';
import type { NetworkOptions } from '../options.ts';
import { JoinedMeshes } from './joined-meshes.ts';

export interface BridgeMeshFlags extends Omit<NetworkOptions, 'lane' | 'where' | 'best'> {
  /** The only mesh to look at; `false` for none. */
  readonly mesh?: string | boolean | undefined;
  readonly safeOnly?: boolean | undefined;
}

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
      await auditedPull(context, { ref: digest, by: 'http bridge' }, (onProgress) =>
        nodes.pullModel(digest, { ...how, signal, onProgress }),
      );
    },
  });
  return { remote: await withAudit(context, remote), [Symbol.asyncDispose]: () => meshes.close() };
}

/** Notes what was refused: because nobody agreed to those who have it, or because too much was asked for. A tool may ask again and again. */
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
    onThrottled(digest, { message }) {
      const what = `did not fetch ${digest.slice(0, 12)}: ${message}`;
      void notes.note({ event: 'refusal', what, about: digest, by: 'http bridge' });
    },
  };
}
