import { readFile, stat } from 'node:fs/promises';
import { writeFileAtomic } from '@model-rtc/files';
import { contentsManifest, type Digest, type ModelContents, readContents, readManifest } from '@model-rtc/protocol';
import { contentsKey } from '../../core/layout/contents-key.ts';
import { type Layout, planLayoutInSlices } from '../../core/layout/layout.ts';
import { MAX_STAGED_MANIFEST_BYTES } from '../../core/limits.ts';

/** Stores what a transfer fetches: the manifest as it is, or what else is known of the model. */
export async function writeStagedContents(path: string, contents: ModelContents): Promise<void> {
  const manifest = contents.spans === undefined ? contentsManifest(contents) : undefined;
  const text = JSON.stringify(manifest ?? contents);
  await writeFileAtomic(path, text, { mode: 0o600 });
}

/** The layout that a staging folder's manifest describes; undefined when it is not there, or not one that we wrote. */
export async function readStagedLayout(path: string, key: Digest): Promise<Layout | undefined> {
  try {
    if ((await stat(path)).size > MAX_STAGED_MANIFEST_BYTES) return undefined;
    const contents = await stagedContents(JSON.parse(await readFile(path, 'utf8')), key);
    return contentsKey(contents) === key ? await planLayoutInSlices(contents) : undefined;
  } catch {
    return undefined;
  }
}

async function stagedContents(value: object, key: Digest): Promise<ModelContents> {
  return 'version' in value ? { ...(await readManifest(value)), digest: key } : await readContents(value);
}
