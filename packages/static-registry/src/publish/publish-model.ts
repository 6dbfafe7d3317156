import { type Digest, formatBytes, MAX_CHUNKS, ModelRtcError, modelDigest, sha256Digest } from '@model-rtc/protocol';
import type { RateLimiter } from '@model-rtc/transfer';
import type { ModelList } from '../format/model-list.ts';
import {
  MAX_PUBLISHED_CHUNK_BYTES,
  MAX_STATIC_MANIFEST_BYTES,
  MIN_PUBLISHED_CHUNK_BYTES,
  PUBLISH_MEMORY_BYTES,
  PUBLISHED_CHUNK_BYTES,
} from '../limits.ts';
import type { ListSignature } from '../sign/signatures.ts';
import { changeList } from './change-list.ts';
import { cutFiles, type PublishedFile } from './cut-files.ts';
import { type PublishedVersion, requireFree, requirePublishable, withVersion } from './list-change.ts';
import { readState, type Signing } from './registry-state.ts';
import type { PublishTarget } from './target.ts';

/** How far a publication is. */
export interface PublishProgress {
  readonly totalBytes: number;
  /** Bytes whose chunks are in the registry now. */
  readonly doneBytes: number;
  /** The part of them that was there before. */
  readonly reusedBytes: number;
}

export interface PublishOptions extends Omit<PublishedVersion, 'hash' | 'digest' | 'size'> {
  readonly files: readonly PublishedFile[];
  /** Bytes of a chunk; 10 MB by default. */
  readonly chunkBytes?: number | undefined;
  /** Signs the list; a registry that is signed must be. */
  readonly signing?: Signing | undefined;
  readonly now?: (() => Date) | undefined;
  /** What its chunks take before they are written. */
  readonly limiter?: RateLimiter | undefined;
  readonly onProgress?: ((progress: PublishProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PublishResult extends PublishProgress {
  /** The SHA-256 of the manifest. */
  readonly hash: Digest;
  readonly digest: Digest;
  readonly chunkCount: number;
  /** False when the registry said all of this already. */
  readonly isNew: boolean;
  /** Those over the list as it is now; none where nobody signs. */
  readonly signatures: readonly ListSignature[];
}

/**
 * Publishes a model: its chunks first, then its manifest, and the list that names it last, so that readers never see a version that
 * is not whole. What is there already is not written again, so a publication that was interrupted goes on where it was.
 * @throws ModelRtcError `bad_argument` for names and sizes; `refused` when the version has another content; `source_changed`;
 * `busy` when other publishers keep changing the list; `storage`, `network`
 */
export async function publishModel(target: PublishTarget, options: PublishOptions): Promise<PublishResult> {
  const { files, signal, signing, now = () => new Date(), ...wanted } = options;
  requirePublishable(wanted);
  const chunkBytes = requireChunkBytes(options);
  const digest = modelDigest(files);
  // Said before hours of work, as far as it is known by then.
  requireFree((await readState(target, signing, signal)).list, { ...wanted, digest });
  await target.prepare(signal);
  const { chunks, ...progress } = await putChunks(target, chunkBytes, options);
  const manifest = manifestBytes({ files, chunkBytes, chunks, digest });
  requireReadable(manifest.length, MAX_STATIC_MANIFEST_BYTES, "The model's manifest");
  const hash = sha256Digest(manifest);
  if (!(await target.claim(hash, manifest.length, signal))) await target.put(hash, manifest, signal);
  const nowMs = await target.nowMs(signal);
  const size = totalOf(files);
  const change = (list: ModelList) => withVersion(list, { ...wanted, hash, digest, size }, nowMs);
  const { isChanged, signatures } = await changeList(target, { signing, change, now, signal });
  return { ...progress, hash, digest, chunkCount: chunks.length, isNew: isChanged, signatures };
}

/** Readers refuse what is longer. */
function requireReadable(bytes: number, maxBytes: number, what: string): void {
  if (bytes <= maxBytes) return;
  throw new ModelRtcError(
    'bad_argument',
    `${what} would take ${formatBytes(bytes)}, and readers take ${formatBytes(maxBytes)} at most. Publish fewer files, larger chunks, or to another registry.`,
  );
}

function requireChunkBytes({ files, chunkBytes = PUBLISHED_CHUNK_BYTES }: PublishOptions): number {
  const isInRange = chunkBytes >= MIN_PUBLISHED_CHUNK_BYTES && chunkBytes <= MAX_PUBLISHED_CHUNK_BYTES;
  if (!Number.isInteger(chunkBytes) || !isInRange) {
    throw new ModelRtcError('bad_argument', 'A chunk has 64 KiB to 64 MiB. Pass another --chunk-size.');
  }
  const count = Math.ceil(totalOf(files) / chunkBytes);
  if (count <= MAX_CHUNKS) return chunkBytes;
  throw new ModelRtcError(
    'bad_argument',
    `The model would have ${count} chunks, more than ${MAX_CHUNKS}. Pass a larger --chunk-size.`,
  );
}

async function putChunks(
  target: PublishTarget,
  chunkBytes: number,
  { files, limiter, onProgress, signal }: PublishOptions,
): Promise<PublishProgress & { chunks: Digest[] }> {
  const chunks: Digest[] = [];
  const totalBytes = totalOf(files);
  let doneBytes = 0;
  let reusedBytes = 0;
  const put = async (hash: Digest, bytes: Uint8Array): Promise<void> => {
    const isThere = await target.claim(hash, bytes.length, signal);
    if (!isThere) {
      await limiter?.take(bytes.length, signal);
      await target.put(hash, bytes, signal);
    }
    doneBytes += bytes.length;
    if (isThere) reusedBytes += bytes.length;
    onProgress?.({ totalBytes, doneBytes, reusedBytes });
  };
  const most = Math.max(1, Math.min(target.concurrency, Math.floor(PUBLISH_MEMORY_BYTES / chunkBytes)));
  const writing = new Map<Digest, Promise<void>>();
  try {
    for await (const { hash, bytes, giveBack } of cutFiles(files, chunkBytes, signal)) {
      chunks.push(hash);
      // The same chunk may follow at once: its second writing waits for the first one, and finds it there.
      await writing.get(hash);
      if (writing.size >= most) await Promise.race(writing.values());
      const work = put(hash, bytes).then(() => {
        writing.delete(hash);
        giveBack();
      });
      // A failed one stays in the map, and ends the loop when it is waited for.
      work.catch(() => undefined);
      writing.set(hash, work);
    }
    await Promise.all(writing.values());
  } finally {
    await Promise.allSettled(writing.values());
  }
  return { totalBytes, doneBytes, reusedBytes, chunks };
}

function manifestBytes({
  files,
  chunkBytes,
  chunks,
  digest,
}: {
  files: readonly PublishedFile[];
  chunkBytes: number;
  chunks: readonly Digest[];
  digest: Digest;
}): Uint8Array {
  const listed = files.map(({ path, size, sha256 }) => ({ path, size, sha256 }));
  const manifest = { total_size: totalOf(files), chunk_size: chunkBytes, chunks, files: listed, digest };
  return new TextEncoder().encode(JSON.stringify(manifest));
}

function totalOf(files: readonly PublishedFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
