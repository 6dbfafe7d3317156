import { type Digest, type Manifest, ModelRtcError, modelDigest, readManifest } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { PartialModels } from '@model-rtc/transfer';
import { MANIFEST_MS, MAX_KEPT_MANIFESTS } from '../limits.ts';
import type { RemoteModels } from '../types.ts';

/** What the files of models are. */
export interface Contents {
  /** @throws ModelRtcError `not_found` when nobody has it, `verification_failed` when others say what cannot be true */
  manifest(digest: Digest, signal: AbortSignal): Promise<Manifest>;
}

export interface ContentsOptions {
  readonly registry: Registry;
  readonly partials: PartialModels;
  readonly remote: RemoteModels | undefined;
  /** Called before others are asked. @throws ModelRtcError `busy` */
  readonly beforeAsking: () => void;
}

export function createContents({ registry, partials, remote, beforeAsking }: ContentsOptions): Contents {
  /** Of models that are not here yet; the oldest goes first. */
  const kept = new Map<Digest, Manifest>();

  async function ask(digest: Digest, signal: AbortSignal): Promise<Manifest> {
    const known = kept.get(digest);
    if (known !== undefined) return known;
    if (remote === undefined) throw gone(digest);
    beforeAsking();
    const manifest = await readManifest(await askInTime(remote, digest, signal));
    if (modelDigest(manifest.files) !== digest) {
      throw new ModelRtcError('verification_failed', `The files that were named are not those of model ${digest}.`);
    }
    kept.set(digest, manifest);
    for (const oldest of kept.keys()) if (kept.size > MAX_KEPT_MANIFESTS) kept.delete(oldest);
    return manifest;
  }

  return {
    async manifest(digest, signal) {
      if ((await registry.find(digest)) !== undefined) return await registry.manifest(digest);
      return (await partials.manifest(digest)) ?? (await ask(digest, signal));
    },
  };
}

/** @throws ModelRtcError `timeout` */
async function askInTime(remote: RemoteModels, digest: Digest, signal: AbortSignal): Promise<Manifest> {
  const late = AbortSignal.timeout(MANIFEST_MS);
  try {
    return await remote.manifest(digest, { signal: AbortSignal.any([signal, late]) });
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error;
    const sentence = `No machine that has model ${digest.slice(0, 12)} said what its files are. Ask again in a moment.`;
    throw ModelRtcError.because(error, 'timeout', sentence);
  }
}

export function gone(digest: Digest): ModelRtcError {
  return new ModelRtcError('not_found', `Model ${digest.slice(0, 12)} is not here any more.`);
}
