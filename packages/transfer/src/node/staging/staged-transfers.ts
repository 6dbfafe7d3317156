import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isLocked, isMissing } from '@model-rtc/files';
import { type Digest, isDigest, type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import type { NeededChunks } from '@model-rtc/registry';
import { chunkCount, digestOf } from '../../core/layout/layout.ts';
import { readJournal } from '../journal/journal.ts';
import { readStagedEntry } from './staged-entry.ts';
import { readStagedLayout } from './staged-layout.ts';
import { stagedModels, stagingPaths } from './staging.ts';

/** What an unfinished transfer left in `staging/`. */
export interface StagedTransfer {
  /** The model that it fetches; a key of its own while the digest is not known. */
  readonly model: Digest;
  readonly folder: string;
  /** The space that its files take on the disk. */
  readonly bytes: number;
  readonly lastWrittenAt: Date;
  /** Whether a process is running it now. */
  readonly isRunning: boolean;
}

/**
 * What each unfinished transfer still needs, as far as is known: one whose manifest cannot be read starts over anyway.
 */
export async function stagedNeeds(staging: string): Promise<NeededChunks[]> {
  const needs: NeededChunks[] = [];
  for (const model of (await stagedModels(staging)).filter(isDigest)) {
    const paths = stagingPaths(staging, model);
    const layout = await readStagedLayout(paths.manifest, model);
    if (layout === undefined) continue;
    const present = readJournal(paths.journal, layout);
    const digests = new Set<Digest>();
    for (let id = 0; id < chunkCount(layout); id++) {
      const chunk = present?.[id] === 1 ? undefined : digestOf(layout, id);
      if (chunk !== undefined) digests.add(chunk);
    }
    if (digests.size > 0) needs.push({ model, digests });
  }
  return needs;
}

/** The unfinished transfers, starting with the one that was written to longest ago. */
export async function stagedTransfers(staging: string): Promise<StagedTransfer[]> {
  const transfers: StagedTransfer[] = [];
  for (const model of (await stagedModels(staging)).filter(isDigest)) {
    const { folder, lock: lockPath } = stagingPaths(staging, model);
    const written = await writtenIn(folder);
    if (written === undefined) continue;
    transfers.push({ model, folder, ...written, isRunning: await isHeld(lockPath) });
  }
  return transfers.sort((a, b) => a.lastWrittenAt.getTime() - b.lastWrittenAt.getTime());
}

/**
 * The unfinished transfer of what a model's alias meant before, when it means other content now. The newest counts, and one that is
 * running does not.
 */
export async function earlierContent(
  staging: string,
  { alias }: Pick<ModelEntry, 'alias'>,
  digest: Digest,
): Promise<StagedTransfer | undefined> {
  if (alias === undefined) return undefined;
  for (const transfer of (await stagedTransfers(staging)).reverse()) {
    if (transfer.isRunning || transfer.model === digest) continue;
    const entry = await readStagedEntry(stagingPaths(staging, transfer.model).entry, transfer.model);
    if (entry?.alias === alias) return transfer;
  }
  return undefined;
}

/** Undefined when the folder is gone. Does not follow links; a half-filled file takes less than its size. */
async function writtenIn(folder: string): Promise<{ bytes: number; lastWrittenAt: Date } | undefined> {
  let bytes = 0;
  let lastMs = 0;
  const paths = [folder];
  for (const path of paths) {
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) continue;
    // Checking the lock writes to the folder itself.
    if (path !== folder) lastMs = Math.max(lastMs, found.mtimeMs);
    if (found.isFile()) bytes += Math.min(found.size, found.blocks * 512);
    if (!found.isDirectory()) continue;
    const names = await readdir(path).catch(() => []);
    // The lock does not tell when the transfer last wrote something either.
    paths.push(...names.filter((name) => path !== folder || !name.startsWith('lock')).map((name) => join(path, name)));
  }
  return lastMs === 0 ? undefined : { bytes, lastWrittenAt: new Date(lastMs) };
}

async function isHeld(path: string): Promise<boolean> {
  try {
    return await isLocked(path);
  } catch (error) {
    // Its folder is gone: the transfer has ended.
    if (isMissing(error)) return false;
    throw ModelRtcError.from(error);
  }
}
