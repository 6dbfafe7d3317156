import { realpath } from 'node:fs/promises';
import { atStorage, isInside, mapLimit } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import type { ScannedFile } from './scanned-model.ts';

const FILES_AT_ONCE = 16;

/**
 * Requires that each file really lies in a watched folder. Whoever may write there could otherwise have any file that the
 * worker may read served by a link to it; a person who imports such a model has seen what it links to.
 *
 * @param folder without links
 * @param within every folder without links in which the files may lie
 * @throws ModelRtcError `refused`
 */
export async function requireInside(
  files: readonly ScannedFile[],
  folder: string,
  within: readonly string[] = [folder],
): Promise<void> {
  await mapLimit(files, FILES_AT_ONCE, async ({ absolutePath }) => {
    const real = await atStorage(absolutePath, 'read', () => realpath(absolutePath));
    if (within.some((allowed) => isInside(real, allowed))) return;
    const sentence = `${absolutePath} leads out of the watched folder ${folder}, and what lies elsewhere is not served. Import the model by hand, or watch the folder that it lies in.`;
    throw new ModelRtcError('refused', sentence, { details: { path: absolutePath } });
  });
}
