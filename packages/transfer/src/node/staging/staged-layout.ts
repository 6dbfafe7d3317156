import { readFile, stat } from 'node:fs/promises';
import { type Digest, parseManifest } from '@model-rtc/protocol';
import { type Layout, planLayout } from '../../core/layout/layout.ts';
import { MAX_STAGED_MANIFEST_BYTES } from '../../core/limits.ts';

/** The layout that a staging folder's manifest describes; undefined when it is not there, or is not what we wrote. */
export async function readStagedLayout(path: string, model: Digest): Promise<Layout | undefined> {
  try {
    if ((await stat(path)).size > MAX_STAGED_MANIFEST_BYTES) return undefined;
    return planLayout(parseManifest(JSON.parse(await readFile(path, 'utf8'))), model);
  } catch {
    return undefined;
  }
}
