import { createHash } from 'node:crypto';
import type { Digest } from '@model-rtc/protocol';
import { chunkCount, digestOf, type Layout, placesOf } from '../../core/layout/layout.ts';
import { REREAD_JOURNAL_MS } from '../../core/limits.ts';
import { JournalFollower } from '../journal/journal-follower.ts';
import { isRunning } from './is-running.ts';
import { readStagedChunk } from './staged-chunks.ts';
import type { StagingPaths } from './types.ts';

/** The chunks of a model that is still being fetched, by this process or another. */
export interface PartialReader {
  readonly digest: Digest;
  /** Whether the chunk belongs to the model, here already or not. */
  has(chunk: Digest): boolean;
  /** The chunk's bytes, verified just now; undefined while it is not here. */
  readChunk(chunk: Digest, into?: Uint8Array): Promise<Uint8Array | undefined>;
  /** Identifies the list of chunks that places count in: see `Layout.listHash`. */
  readonly list: string;
  /** By place in that list: 1 for each chunk that is here now. The same array as before where nothing came. */
  present(): Uint8Array;
  /** Whether the transfer has ended: the model is installed, or was given up. */
  isOver(): Promise<boolean>;
}

export function openPartialReader(
  paths: StagingPaths,
  { digest, layout, now }: { readonly digest: Digest; readonly layout: Layout; readonly now: () => number },
): PartialReader {
  const ids = new Map<Digest, number>();
  for (let id = 0; id < chunkCount(layout); id++) {
    const chunk = digestOf(layout, id);
    if (chunk !== undefined) ids.set(chunk, id);
  }
  const journal = new JournalFollower(paths.journal, layout);
  const look = notTooOften(() => journal.look());
  const isHere = (id: number): boolean => {
    if (journal.present?.[id] !== 1) look();
    return journal.present?.[id] === 1;
  };
  let told: { readonly version: number; readonly places: Uint8Array } | undefined;

  async function readChunk(chunk: Digest, into?: Uint8Array): Promise<Uint8Array | undefined> {
    const id = ids.get(chunk);
    if (id === undefined || !isHere(id)) return undefined;
    const place = placesOf(layout, id)[0] ?? 0;
    // Files that are gone were installed, or are about to be fetched again.
    const bytes = await readStagedChunk({ filesFolder: paths.files, layout, place }, into).catch(() => undefined);
    // After a power cut the journal may have a line whose bytes are gone; sending them would look like a lie.
    return bytes !== undefined && createHash('sha256').update(bytes).digest('hex') === chunk ? bytes : undefined;
  }

  return {
    digest,
    list: layout.listHash,
    present() {
      look();
      const { version, present } = journal;
      if (told?.version !== version)
        told = { version, places: Uint8Array.from(layout.idAt, (id) => present?.[id] ?? 0) };
      return told.places;
    },
    has: (chunk) => ids.has(chunk),
    readChunk,
    isOver: async () => !(await isRunning(paths.lock, now)),
  };
}

/** Whoever asks for a chunk that is not here, or follows those that come, does not make the disk busy. */
function notTooOften(work: () => void): () => void {
  let workedMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = performance.now();
    if (nowMs - workedMs < REREAD_JOURNAL_MS) return;
    workedMs = nowMs;
    work();
  };
}
