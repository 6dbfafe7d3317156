import type { Digest } from '@model-rtc/protocol';
import type { StoredEntry } from './index-schema.ts';
import type { RegistryContext } from './registry-context.ts';

/** Workers remembered for one model; the one seen longest ago goes first. */
const REMEMBERED_WORKERS = 64;

/** Notes in the index alone that a worker has these models now. */
export async function markSeen(
  { index, clock }: RegistryContext,
  workerName: string,
  digests: Iterable<Digest>,
): Promise<void> {
  const wanted = [...new Set(digests)];
  const known = await index.read();
  if (!wanted.some((digest) => known.byDigest.has(digest))) return;
  const now = clock().toISOString();
  await index.update(async (current) => {
    const seen = wanted.map((digest) => current.byDigest.get(digest)).filter((stored) => stored !== undefined);
    return { result: undefined, put: seen.map((stored) => withSighting(stored, workerName.slice(0, 256), now)) };
  });
}

function withSighting(stored: StoredEntry, workerName: string, now: string): StoredEntry {
  const sightings = Object.entries({ ...stored.seenAt, [workerName]: now });
  sightings.sort(([, a], [, b]) => (a < b ? 1 : -1));
  return { ...stored, seenAt: Object.fromEntries(sightings.slice(0, REMEMBERED_WORKERS)) };
}
