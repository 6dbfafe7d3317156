import type { Digest } from '@model-rtc/protocol';
import { digestOf, type Layout } from '../layout/layout.ts';
import { diskSource } from './disk-source.ts';
import type { ChunkSource } from './source.ts';

/** Chunks that this machine has, according to the registry's chunk index. They were not checked since. */
export interface LocalChunks<Location = unknown> {
  locateChunks(digests: Iterable<Digest>): Promise<ReadonlyMap<Digest, Location>>;
  readLocatedChunk(digest: Digest, location: Location, into?: Uint8Array): Promise<Uint8Array | undefined>;
}

/** Where chunks may be on this machine, with its name in messages. */
export interface LocalPlace {
  readonly name: string;
  readonly local: LocalChunks;
}

export interface LocalSource {
  readonly source: ChunkSource;
  /** The ids of the chunks that it has. */
  readonly chunks: number[];
}

/** Finds the missing chunks that this machine has, and makes each place a source of just its chunks. */
export async function findLocalSources(
  layout: Layout,
  present: Uint8Array,
  places: readonly LocalPlace[],
): Promise<LocalSource[]> {
  const missing = new Map<Digest, number>();
  for (const [id, there] of present.entries()) {
    const digest = there === 1 ? undefined : digestOf(layout, id);
    if (digest !== undefined) missing.set(digest, id);
  }
  const sources: LocalSource[] = [];
  for (const { name, local } of places) {
    if (missing.size === 0) break;
    const located = await local.locateChunks(missing.keys());
    const chunks: number[] = [];
    for (const digest of located.keys()) {
      const id = missing.get(digest);
      if (id !== undefined && missing.delete(digest)) chunks.push(id);
    }
    if (chunks.length > 0) sources.push({ source: sourceOf(name, local, located), chunks });
  }
  return sources;
}

function sourceOf(name: string, local: LocalChunks, located: ReadonlyMap<Digest, unknown>): ChunkSource {
  return diskSource({
    name,
    readChunk: async (digest, into) => {
      const location = located.get(digest);
      return location === undefined ? undefined : await local.readLocatedChunk(digest, location, into);
    },
  });
}
