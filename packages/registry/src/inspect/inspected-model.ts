import { join } from 'node:path';
import type { ComparableFile, ComparableModel } from '@model-rtc/formats';
import { type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { notFoundLocally } from '../entry/resolve.ts';
import { openModelFiles } from '../files/model-files.ts';
import { readStatsNote } from '../store/model-notes.ts';

/**
 * Does the work with a registered model's files; they are closed after it. Reading them throws ModelRtcError `source_changed`.
 * @throws ModelRtcError `not_found_locally`; `storage` when its notes are damaged
 */
export async function withInspectedModel<T>(
  { index, paths, readManifest }: RegistryContext,
  digest: Digest,
  work: (model: ComparableModel) => Promise<T>,
): Promise<T> {
  const known = await index.read();
  const stored = known.byDigest.get(digest);
  if (stored === undefined) throw notFoundLocally(known, digest);
  const place = { path: join(paths.models, stored.folder), linked: stored.linked };
  const [manifest, stats] = await Promise.all([readManifest(stored), readStatsNote(place.path)]);
  const byPath = new Map(stats.map((stat) => [stat.path, stat]));
  const inOrder = manifest.files.map(({ path }) => byPath.get(path)).filter((stat) => stat !== undefined);
  if (inOrder.length !== manifest.files.length) throw damagedNotes(place.path);
  const opened = openModelFiles(place, inOrder);
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    if (length > 0) await opened.read(offset, bytes);
    return bytes;
  };
  try {
    return await work({ manifest, files: filesOf(manifest, read), read });
  } finally {
    await opened.close();
  }
}

function filesOf({ files }: Manifest, read: ComparableModel['read']): ComparableFile[] {
  let start = 0;
  return files.map(({ path, size }) => {
    const begin = start;
    start += size;
    return { path, start: begin, size, read: (offset, length) => read(begin + offset, length) };
  });
}

function damagedNotes(path: string): ModelRtcError {
  const sentence = `What was noted of the files in ${path} does not fit its manifest. Repair it: model-rtc client repair-model.`;
  return new ModelRtcError('storage', sentence, { details: { path } });
}
