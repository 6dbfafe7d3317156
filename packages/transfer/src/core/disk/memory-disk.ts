import { formatBytes, ModelRtcError, openTurns, type Turns } from '@model-rtc/protocol';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { chunkCount, type Layout, placeAt } from '../layout/layout.ts';
import type { ChunkMemory, ModelDisk } from './disk-port.ts';
import { inlinePort } from './inline-port.ts';
import type { ChunkFiles, Journal } from './storage.ts';

export interface MemoryDiskOptions {
  /** The most memory that the model's bytes may take. Chunk buffers come on top: at most 48 MiB. */
  readonly maxBytes: number;
  /** How work is put off to later turns; the platform's best way by default. */
  readonly openTurns?: (() => Turns) | undefined;
}

/** One model's bytes in memory. */
export interface MemoryDisk extends ModelDisk {
  /**
   * The bytes of a file from `start` up to `end`, or of all of it, in order, as a Blob takes them. They are views of what
   * is stored, so do not change them.
   * @throws ModelRtcError `not_found` when the model has no such file, or these bytes have not come yet
   */
  parts(path: string, start?: number, end?: number): Uint8Array<ArrayBuffer>[];
}

/**
 * Makes a disk that keeps one model in memory, for a browser or a test.
 * @throws ModelRtcError `storage_full` when the model takes more than `maxBytes`
 */
export function createMemoryDisk(layout: Layout, options: MemoryDiskOptions): MemoryDisk {
  requireMemory(layout, options.maxBytes);
  const chunks = new MemoryChunks(layout);
  const present = new Uint8Array(chunkCount(layout));
  const sums = new Uint32Array(layout.ranges?.length ?? 0);
  const journal: Journal = {
    add(chunk, sum) {
      present[chunk] = 1;
      if (sum !== undefined) sums[chunk] = sum;
    },
    remove(range) {
      present[range] = 0;
    },
    flush() {},
    close() {},
  };
  return {
    open(onEvents) {
      const turns = (options.openTurns ?? openTurns)();
      const port = inlinePort(
        { layout, journalled: present, sums },
        { files: chunks, journal, ...hashes, later: turns.later, allocate: plainMemory },
        onEvents,
      );
      return {
        ...port,
        async close() {
          await port.close();
          turns.close();
        },
      };
    },
    present: () => present.slice(),
    parts: (path, start, end) => partsOf(chunks, layout, { path, start, end }),
  };
}

const hashes = { createSha256: () => sha256.create(), createSha1: () => sha1.create() };

function requireMemory(layout: Layout, maxBytes: number): void {
  const neededBytes = layout.sizes.reduce((sum, size) => sum + size, 0);
  if (neededBytes <= maxBytes) return;
  throw new ModelRtcError(
    'storage_full',
    `This model needs ${formatBytes(neededBytes)} of memory, and the limit is ${formatBytes(maxBytes)}. Raise the limit, or pull the model to a disk.`,
    { details: { neededBytes, maxBytes } },
  );
}

function plainMemory(size: number): ChunkMemory {
  const bytes = new Uint8Array(size);
  return { bytes, write: (offset, piece) => bytes.set(piece, offset) };
}

/** Each different chunk once, however many places it has in the model. */
class MemoryChunks implements ChunkFiles {
  readonly #layout: Layout;
  readonly #bytes = new Map<number, Uint8Array<ArrayBuffer>>();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** The bytes of the chunk at this place, while they are here. */
  at(place: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#bytes.get(this.#idAt(place));
  }

  write(place: number, bytes: Uint8Array): void {
    const there = this.at(place);
    if (there === undefined) this.#bytes.set(this.#idAt(place), copyOf(bytes));
    else there.set(bytes);
  }

  read(place: number, into: Uint8Array): boolean {
    const bytes = this.at(place);
    if (bytes !== undefined) into.set(bytes);
    return bytes !== undefined;
  }

  /** Memory has nothing to flush, and keeps everything when it is closed. */
  async flush(): Promise<void> {}

  close(): void {}

  #idAt(place: number): number {
    return this.#layout.idAt[place] ?? 0;
  }
}

/** @throws ModelRtcError `storage_full` */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (error) {
    throw outOfMemory(error);
  }
}

function outOfMemory(cause: unknown): ModelRtcError {
  return new ModelRtcError('storage_full', 'There is no memory left for the model. Pull it to a disk.', { cause });
}

interface FilePart {
  readonly path: string;
  readonly start?: number | undefined;
  readonly end?: number | undefined;
}

function partsOf(chunks: MemoryChunks, layout: Layout, part: FilePart): Uint8Array<ArrayBuffer>[] {
  const file = layout.files.find(({ path }) => path === part.path);
  if (file === undefined) throw new ModelRtcError('not_found', `The model has no file ${part.path}.`);
  const from = file.offset + Math.max(0, part.start ?? 0);
  const to = file.offset + Math.min(file.size, part.end ?? file.size);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let place = placeAt(layout, from); (layout.offsetAt[place] ?? to) < to; place++) {
    const bytes = chunks.at(place);
    if (bytes === undefined) throw new ModelRtcError('not_found', `These bytes of ${part.path} have not come yet.`);
    const offset = layout.offsetAt[place] ?? 0;
    parts.push(bytes.subarray(Math.max(0, from - offset), to - offset));
  }
  return parts;
}
