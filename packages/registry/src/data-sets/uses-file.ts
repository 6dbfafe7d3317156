import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listFolder, writeFileAtomic } from '@model-rtc/files';
import { type Digest, digestSchema, isDigest, type Log, modelSize } from '@model-rtc/protocol';
import * as z from 'zod';
import { readManifestNote } from '../store/model-notes.ts';
import type { StoredSet } from './types.ts';

const usesSchema = z.object({
  version: z.literal(1),
  sets: z.array(
    z.object({
      digest: digestSchema,
      bytes: z.number().int().min(0),
      lastUsedMs: z.number().int().min(0),
      owners: z.array(z.string().max(64)),
    }),
  ),
});

function usesPath(folder: string): string {
  return join(folder, 'uses.json');
}

/** The sets in the folder. One that the list of uses does not know belongs to nobody, and counts as used when it was written. */
export async function readStoredSets(folder: string, log: Log): Promise<Map<Digest, StoredSet>> {
  const noted = new Map((await readUses(folder, log)).map((set) => [set.digest, set]));
  const sets = new Map<Digest, StoredSet>();
  for (const { name } of await listFolder(folder)) {
    if (!isDigest(name)) continue;
    const known = noted.get(name) ?? (await lookAt(join(folder, name), name).catch(() => undefined));
    if (known !== undefined) sets.set(name, known);
  }
  return sets;
}

async function readUses(folder: string, log: Log): Promise<readonly StoredSet[]> {
  const text = await readFile(usesPath(folder), 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  try {
    return usesSchema.parse(JSON.parse(text)).sets;
  } catch (error) {
    log.warn({ error }, 'the list of the data that jobs use is damaged: clients send theirs again');
    return [];
  }
}

async function lookAt(folder: string, digest: Digest): Promise<StoredSet> {
  const bytes = modelSize(await readManifestNote(folder, digest));
  return { digest, bytes, lastUsedMs: Math.trunc((await stat(folder)).mtimeMs), owners: [] };
}

/** What cannot be written, on a full disk, is known while this process runs. */
export async function writeUses(folder: string, sets: Iterable<StoredSet>, log: Log): Promise<void> {
  const text = JSON.stringify({ version: 1, sets: [...sets] });
  await writeFileAtomic(usesPath(folder), text, { mode: 0o600 }).catch((error: unknown) =>
    log.debug({ err: error }, 'the list of the data that jobs use could not be written'),
  );
}
