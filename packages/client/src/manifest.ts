import { contentsManifest, type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { ModelProvider } from '@model-rtc/transfer';

/**
 * The files of a model and their chunks, as the first of the providers that has it says.
 * @throws ModelRtcError `not_found`, `verification_failed`; what asking the last of them threw
 */
export async function manifestFrom(
  providers: readonly ModelProvider[],
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<Manifest> {
  let last: unknown = new ModelRtcError('not_found', `Nobody who was asked has the model ${digest.slice(0, 12)}.`);
  for (const provider of providers) {
    try {
      const manifest = contentsManifest(await provider.contents({ ref: digest, digest }, signal));
      if (manifest !== undefined) return manifest;
    } catch (error) {
      signal?.throwIfAborted();
      last = error;
    }
  }
  throw last;
}
