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
 * @throws ModelRtcError `refused`
 */
export async function requireInside(files: readonly ScannedFile[], folder: string): Promise<void> {
  await mapLimit(files, FILES_AT_ONCE, async ({ absolutePath }) => {
    const real = await atStorage(absolutePath, 'read', () => realpath(absolutePath));
    if (isInside(real, folder)) return;
    const sentence = `${absolutePath} leads out of the watched folder ${folder}, and what lies elsewhere is not served. Import the model by hand, or watch the folder that it lies in.`;
    throw new ModelRtcError('refused', sentence, { details: { path: absolutePath } });
  });
}
