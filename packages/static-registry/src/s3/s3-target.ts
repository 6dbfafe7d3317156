import { LONGEST_PATIENCE_MS, readWhole } from '@model-rtc/http';
import { type Digest, isDigest, ModelRtcError, sha256Digest, systemClock } from '@model-rtc/protocol';
import { DATA_HEADERS, dataPath, NAMED_HEADERS } from '../format/paths.ts';
import { MAX_LIST_BYTES, S3_CONCURRENCY, S3_TOUCH_AGE_MS } from '../limits.ts';
import type { PublishTarget, StoredData, StoredFile } from '../publish/target.ts';
import { fileIn } from '../store/types.ts';
import type { S3Address } from './address.ts';
import { Bucket, type WriteCondition } from './bucket.ts';
import type { S3Options } from './types.ts';

const ALWAYS: WriteCondition = { kind: 'always' };
const DATA = 'data/';

/** A registry in a bucket. Objects are written whole: readers see none that is half there. @throws ModelRtcError as `Bucket.open` */
export async function createS3Target(address: S3Address, options: S3Options): Promise<PublishTarget> {
  const bucket = await Bucket.open(address, options);
  const isSingle = options.singlePublisher === true;
  return {
    name: address.url,
    concurrency: S3_CONCURRENCY,
    async nowMs(signal) {
      await bucket.head(dataPath(PROBE_HASH), signal);
      return bucket.nowMs();
    },
    async prepare(signal) {
      if (!isSingle) await requireConditionalWrites(bucket, signal);
    },
    claim: (hash, bytes, signal) => claim(bucket, hash, bytes, signal),
    async put(hash, bytes, signal) {
      const write = (condition: WriteCondition) =>
        bucket.put(dataPath(hash), bytes, { condition, headers: DATA_HEADERS, hash, signal });
      if (await write(isSingle ? ALWAYS : { kind: 'absent' })) return;
      // Another publisher wrote the same meanwhile. An object of another length is broken, and never named by readers' lists.
      const found = await bucket.head(dataPath(hash), signal);
      if (found?.bytes !== bytes.length) await write(ALWAYS);
    },
    readNamed: (file, signal) => readNamed(bucket, file, signal),
    async writeNamed(file, bytes, tag, signal) {
      const condition: WriteCondition = tag === undefined ? { kind: 'absent' } : { kind: 'etag', etag: tag };
      if (isSingle && (await bucket.head(file, signal))?.etag !== tag) return false;
      const options = { condition: isSingle ? ALWAYS : condition, headers: NAMED_HEADERS, signal };
      if (await bucket.put(file, bytes, options)) return true;
      // The answer to an earlier attempt may have been lost: then what is there is ours.
      const now = await readNamed(bucket, file, signal);
      return now !== undefined && Buffer.compare(now.bytes, bytes) === 0;
    },
    listData: (signal) => listData(bucket, signal),
    // An object that was not uploaded whole is not there.
    clearUnfinished: async () => 0,
    async removeOlder(hash, beforeMs, signal) {
      const found = await bucket.head(dataPath(hash), signal);
      if (found === undefined || found.writtenAtMs >= beforeMs) return false;
      await bucket.remove(dataPath(hash), signal);
      return true;
    },
  };
}

async function claim(bucket: Bucket, hash: Digest, bytes: number, signal: AbortSignal | undefined): Promise<boolean> {
  const found = await bucket.head(dataPath(hash), signal);
  if (found?.bytes !== bytes) return false;
  if (bucket.nowMs() - found.writtenAtMs < S3_TOUCH_AGE_MS) return true;
  return await bucket.touch(dataPath(hash), found.etag, DATA_HEADERS, signal);
}

async function readNamed(
  bucket: Bucket,
  file: string,
  signal: AbortSignal | undefined,
): Promise<StoredFile | undefined> {
  const answer = await readWhole(fileIn(bucket, file), {
    clock: systemClock,
    random: Math.random,
    patienceMs: LONGEST_PATIENCE_MS,
    maxBytes: MAX_LIST_BYTES,
    signal,
  });
  if (answer.kind !== 'found') return undefined;
  const { bytes, etag } = answer;
  if (etag === undefined) throw new ModelRtcError('refused', `${bucket.url} gives no ETag for ${file}.`);
  return { bytes, tag: etag };
}

async function* listData(bucket: Bucket, signal: AbortSignal | undefined): AsyncGenerator<StoredData> {
  for await (const { path, bytes, writtenAtMs } of bucket.list(DATA, signal)) {
    const name = path.slice(DATA.length);
    if (isDigest(name)) yield { hash: name, bytes, writtenAtMs };
  }
}

const PROBE = new TextEncoder().encode(
  'model-rtc writes this file to see whether the store keeps conditions of writes. No model needs it.\n',
);
const PROBE_HASH = sha256Digest(PROBE);

/**
 * Some stores refuse conditions, and some take no notice of them. Without them two publishers at once would lose a version, so
 * it is tried on a file in `data/`, before hours of uploading.
 */
async function requireConditionalWrites(bucket: Bucket, signal: AbortSignal | undefined): Promise<void> {
  const write = (condition: WriteCondition) =>
    bucket.put(dataPath(PROBE_HASH), PROBE, { condition, headers: DATA_HEADERS, hash: PROBE_HASH, signal });
  await write({ kind: 'absent' });
  const other = { kind: 'etag', etag: '"00000000000000000000000000000000"' } as const;
  if (!(await write({ kind: 'absent' })) && !(await write(other))) return;
  throw new ModelRtcError(
    'refused',
    `The store of ${bucket.url} takes no notice of conditions (If-None-Match, If-Match), so two publishers at once could lose a version. If you are the only one who publishes there, pass --single-publisher.`,
  );
}
