import { join } from 'node:path';
import type { ByteReader } from '@model-rtc/formats';
import { type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { notFoundLocally } from '../entry/resolve.ts';
import { openModelFiles } from '../files/model-files.ts';
import { readStatsNote } from '../store/model-notes.ts';

/** One file of a registered model. */
export interface InspectedFile {
  readonly path: string;
  /** Where it begins in the model's files laid end to end. */
  readonly start: number;
  readonly reader: ByteReader;
}

/** A registered model whose files are looked into. */
export interface InspectedModel {
  readonly manifest: Manifest;
  readonly files: readonly InspectedFile[];
  /** Bytes of the model's files laid end to end. @throws ModelRtcError `source_changed` */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Does the work with a registered model's files; they are closed after it.
 * @throws ModelRtcError `not_found_locally`; `storage` when its notes are damaged
 */
export async function withInspectedModel<T>(
  { index, paths, readManifest }: RegistryContext,
  digest: Digest,
  work: (model: InspectedModel) => Promise<T>,
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

function filesOf({ files }: Manifest, read: InspectedModel['read']): InspectedFile[] {
  let start = 0;
  return files.map(({ path, size }) => {
    const begin = start;
    start += size;
    return { path, start: begin, reader: { size, read: (offset, length) => read(begin + offset, length) } };
  });
}

function damagedNotes(path: string): ModelRtcError {
  const sentence = `What was noted of the files in ${path} does not fit its manifest. Repair it: model-rtc client repair-model.`;
  return new ModelRtcError('storage', sentence, { details: { path } });
}
