import type { ComparableFile, ComparableModel } from '@model-rtc/formats';
import type { Digest, Manifest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { requireModel } from '../entry/resolve.ts';
import { openModelFiles } from '../files/model-files.ts';
import { readRegistered } from '../files/registered-model.ts';

/**
 * Does the work with a registered model's files; they are closed after it. Reading them throws ModelRtcError `source_changed`.
 * @throws ModelRtcError `not_found_locally`; `storage` when its notes are damaged
 */
export async function withInspectedModel<T>(
  context: RegistryContext,
  digest: Digest,
  work: (model: ComparableModel) => Promise<T>,
): Promise<T> {
  const { place, manifest, stats } = await readRegistered(context, await requireModel(context, digest));
  const opened = openModelFiles(place, stats);
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
