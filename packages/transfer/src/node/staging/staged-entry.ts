import { readFile, stat } from 'node:fs/promises';
import { writeFileAtomic } from '@model-rtc/files';
import { type Digest, type ModelEntry, modelEntrySchema } from '@model-rtc/protocol';
import { MAX_STAGED_ENTRY_BYTES } from '../../core/limits.ts';

/** Stores what is known of a model beside its staged files. */
export async function writeStagedEntry(path: string, digest: Digest, entry: ModelEntry): Promise<void> {
  // Leave out what only describes the sender's copy.
  const { displayStatus: _, partialBytes: __, codeFiles: ___, ...kept } = entry;
  await writeFileAtomic(path, JSON.stringify(modelEntrySchema.parse({ ...kept, digest })), { mode: 0o600 });
}

/** The entry beside staged files; undefined when it is not there, or is not one that we wrote for this model. */
export async function readStagedEntry(path: string, digest: Digest): Promise<ModelEntry | undefined> {
  try {
    if ((await stat(path)).size > MAX_STAGED_ENTRY_BYTES) return undefined;
    const entry = modelEntrySchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return entry.digest === digest ? entry : undefined;
  } catch {
    return undefined;
  }
}
