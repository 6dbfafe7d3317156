import type { Digest, Manifest } from '@model-rtc/protocol';
import { createLocatedChunks } from '../chunks/located-chunks.ts';
import { modelHolders } from '../chunks/model-holders.ts';
import type { RegistryContext } from '../context.ts';
import { requireModel } from '../entry/resolve.ts';
import { openDamagedFiles } from '../files/model-files.ts';
import { readInto } from '../files/model-reader.ts';
import { placeOf } from '../files/registered-model.ts';
import type { RepairChunks, RepairLocation } from './types.ts';

/** Finds a damaged model's chunks in the intact parts of its own files, whatever their times, and in other models. */
export async function openRepairChunks(
  context: RegistryContext,
  digest: Digest,
  manifest: Manifest,
  damagedChunks: readonly number[],
): Promise<RepairChunks> {
  const stored = await requireModel(context, digest);
  const files = openDamagedFiles(placeOf(context.paths, stored), manifest);
  const own = rightPlaces(manifest, damagedChunks);
  const others = createLocatedChunks(modelHolders(context));

  async function locateChunks(digests: Iterable<Digest>): Promise<Map<Digest, RepairLocation>> {
    const found = new Map<Digest, RepairLocation>();
    const elsewhere: Digest[] = [];
    for (const chunk of digests) {
      const location = own.get(chunk);
      if (location === undefined) elsewhere.push(chunk);
      else found.set(chunk, location);
    }
    if (elsewhere.length === 0) return found;
    for (const [chunk, location] of await others.locate(elsewhere, digest))
      found.set(chunk, { from: 'other', location });
    return found;
  }

  return {
    locateChunks,
    async readLocatedChunk(_chunk, location, into) {
      if (location.from === 'other') return await others.read(location.location, into);
      // The caller looks elsewhere for what can no longer be read.
      return await readInto(files, location.offset, location.size, into).catch(() => undefined);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([files[Symbol.asyncDispose](), others.close()]);
    },
  };
}

/** Where each intact chunk lies. A chunk may be in a model more than once; one intact place is enough. */
function rightPlaces({ chunks }: Manifest, damagedChunks: readonly number[]): Map<Digest, RepairLocation> {
  const damaged = new Set(damagedChunks);
  const places = new Map<Digest, RepairLocation>();
  let offset = 0;
  for (const [index, { digest, size }] of chunks.entries()) {
    if (!damaged.has(index) && !places.has(digest)) places.set(digest, { from: 'own', offset, size });
    offset += size;
  }
  return places;
}
