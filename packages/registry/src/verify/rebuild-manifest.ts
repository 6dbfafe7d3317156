import { lstat, stat } from 'node:fs/promises';
import { listTree } from '@model-rtc/files';
import {
  type Digest,
  type Manifest,
  type ModelPath,
  ModelRtcError,
  manifestDigest,
  OWN_FOLDER,
} from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { ModelPlace } from '../files/types.ts';
import { toFile } from '../import/scanned-file.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import { isMetadataOf, METADATA_FILE } from '../store/metadata-file.ts';
import type { VerifyOptions } from './types.ts';

/**
 * A lost manifest, rebuilt from the files in the model's folder. Its digest proves that it is right; undefined when the
 * digest differs.
 */
export async function rebuildManifest(
  { loadImportSteps }: RegistryContext,
  place: ModelPlace,
  digest: Digest,
  { signal }: Pick<VerifyOptions, 'signal'>,
): Promise<Manifest | undefined> {
  try {
    const { hashFiles } = await loadImportSteps();
    const { manifest } = await hashFiles(await filesOf(place, digest), { signal });
    return manifestDigest(manifest) === digest ? manifest : undefined;
  } catch (thrown) {
    const known = ModelRtcError.from(thrown);
    if (known.code === 'cancelled') throw known;
    return undefined;
  }
}

/** @throws when one of them is not a readable file: then they are not the model */
async function filesOf({ path: root, linked }: ModelPlace, digest: Digest): Promise<ScannedFile[]> {
  const files: ScannedFile[] = [];
  for (const { path: absolutePath, inside, entry } of await listTree(root, (item) => item === OWN_FOLDER)) {
    if (entry.isDirectory() || (inside === METADATA_FILE && (await isMetadataOf(absolutePath, digest)))) continue;
    const found = await (linked ? stat : lstat)(absolutePath, { bigint: true });
    if (!found.isFile()) throw new Error(`${absolutePath} is not a plain file`);
    files.push(toFile(inside.normalize('NFC') as ModelPath, absolutePath, found));
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
