import type { Digest, Manifest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';

/** Tells the chunk index. It only saves transfers: a failure there must not fail what is done. */
export async function updateChunks(
  { chunks, log }: Pick<RegistryContext, 'chunks' | 'log'>,
  change: 'add' | 'remove',
  digest: Digest,
  manifest: Manifest | undefined,
): Promise<void> {
  try {
    if (change === 'remove') await chunks.remove(digest, manifest);
    else if (manifest !== undefined) await chunks.add(digest, manifest);
  } catch (thrown) {
    log.warn({ digest, error: thrown }, 'the chunk index could not be updated');
  }
}
