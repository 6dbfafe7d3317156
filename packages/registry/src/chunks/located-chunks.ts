import { type Digest, type Log, MAX_CHUNK_BYTES, type Manifest } from '@model-rtc/protocol';
import { readInto } from '../files/model-reader.ts';
import type { ModelFiles } from '../files/types.ts';
import type { ChunkIndex, ChunkLocation, LocatedChunks } from './types.ts';

/** Holders whose files stay open between reads. */
const OPEN_HOLDERS = 4;

/** What keeps whole sets of files whose chunks are used again: the registry with its models, the cache of data. */
export interface ChunkHolders<H> {
  readonly chunks: ChunkIndex;
  readonly log: Log;
  /** What is here now, by digest. The same object stands for the same files. */
  known(): Promise<ReadonlyMap<Digest, H>>;
  manifest(holder: H): Promise<Manifest>;
  open(holder: H): Promise<ModelFiles>;
}

export function createLocatedChunks<H>(holders: ChunkHolders<H>): LocatedChunks {
  const { chunks, log } = holders;
  const inIndex = new Set<Digest>();
  const open = new Map<H, Promise<ModelFiles>>();

  async function locate(digests: Iterable<Digest>, except?: Digest): Promise<Map<Digest, ChunkLocation>> {
    const wanted = [...digests];
    const known = await holders.known();
    for (const isLast of [false, true]) {
      try {
        await indexMissing(holders, known, inIndex);
        return await chunks.locate(wanted, (digest) => digest !== except && known.has(digest));
      } catch (thrown) {
        log.warn({ error: thrown }, 'the chunk index cannot be read');
        if (isLast) break;
        inIndex.clear();
        await chunks.reset().catch(() => undefined);
      }
    }
    return new Map();
  }

  async function read(
    { model, offset, size }: ChunkLocation,
    into: Uint8Array | undefined,
  ): Promise<Uint8Array | undefined> {
    const holder = (await holders.known()).get(model);
    if (holder === undefined || size > MAX_CHUNK_BYTES) return undefined;
    try {
      return await readInto(await filesOf(holder), offset, size, into);
    } catch (thrown) {
      log.debug({ model, error: thrown }, 'a chunk on this disk cannot be read any more');
      return undefined;
    }
  }

  function filesOf(holder: H): Promise<ModelFiles> {
    const files = open.get(holder) ?? holders.open(holder);
    open.delete(holder);
    open.set(holder, files);
    files.catch(() => open.delete(holder));
    for (const [oldest] of [...open].slice(0, -OPEN_HOLDERS)) void forget(oldest);
    return files;
  }

  async function forget(holder: H): Promise<void> {
    const files = open.get(holder);
    open.delete(holder);
    await files?.then((opened) => opened[Symbol.asyncDispose]()).catch(() => undefined);
  }

  async function close(): Promise<void> {
    await Promise.all([...open.keys()].map(forget));
  }

  return { locate, read, close };
}

/** Adds what other processes brought, or everything when the index is new. */
export async function indexMissing<H>(
  { chunks, log, manifest: manifestOf }: Pick<ChunkHolders<H>, 'chunks' | 'log' | 'manifest'>,
  known: ReadonlyMap<Digest, H>,
  /** What needs no look-up. Those that were looked up are added to it. */
  inIndex: Set<Digest> = new Set(),
): Promise<void> {
  for (const [digest, holder] of known) {
    if (inIndex.has(digest)) continue;
    inIndex.add(digest);
    if (await chunks.has(digest)) continue;
    const manifest = await manifestOf(holder).catch((thrown: unknown) => {
      log.warn({ digest, error: thrown }, 'a manifest cannot be read: the chunks of its files are not reused');
    });
    if (manifest !== undefined) await chunks.add(digest, manifest);
  }
}
