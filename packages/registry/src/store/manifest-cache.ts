import { join } from 'node:path';
import { type Digest, MAX_CHUNKS, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { StoredEntry } from '../entry/types.ts';
import { readManifestNote } from './model-notes.ts';

/** Chunks and files of all kept manifests together: as many as one of the largest model has, about 60 MB. */
const KEPT_ITEMS = MAX_CHUNKS;

/** Reads models' manifests and keeps the last ones: an answer to a peer and the transfer after it need the same one. */
export function createManifestCache(models: string): (stored: StoredEntry) => Promise<Manifest> {
  const kept = new Map<StoredEntry, Manifest>();

  function keep(stored: StoredEntry, manifest: Manifest): void {
    kept.delete(stored);
    kept.set(stored, manifest);
    let items = 0;
    for (const [key, value] of [...kept].reverse()) {
      items += value.chunks.length + value.files.length;
      if (items > KEPT_ITEMS && key !== stored) kept.delete(key);
    }
  }

  return async (stored) => {
    const manifest = kept.get(stored) ?? (await readManifestNote(join(models, stored.folder), digestOf(stored)));
    keep(stored, manifest);
    return manifest;
  };
}

function digestOf({ id, digest }: StoredEntry): Digest {
  if (digest !== undefined) return digest;
  throw new ModelRtcError('busy', `Model ${id} is still training. Its files are available when it has completed.`);
}
