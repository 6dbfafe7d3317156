import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { FileSet } from '@model-rtc/registry';
import type { TrackedTransfer } from '@model-rtc/transfer';
import { overConnections } from '../over-connections.ts';
import { pushUntilThere } from '../push-until-there.ts';
import type { RemoteWorker } from '../remote-worker.ts';
import { tracked } from '../tracked.ts';
import { TransferSpeed } from '../transfer-speed.ts';
import { TransferStats } from '../transfer-stats.ts';
import type { DataOptions, SentData } from './types.ts';

/**
 * Makes sure that the worker has the data of a job: it pulls what it lacks, and nothing is sent twice.
 * @param sets - from `Registry.hashFileSet`
 * @throws ModelRtcError `source_changed` when a file changed since it was hashed; what the worker refuses
 */
export async function sendData(
  worker: RemoteWorker,
  sets: readonly FileSet[],
  options: DataOptions = {},
): Promise<SentData> {
  const byDigest = new Map(sets.map((set) => [set.digest, set]));
  if (byDigest.size === 0) return { transferredBytes: 0, reusedBytes: 0, resumedBytes: 0 };
  const { missing } = await overConnections(
    worker,
    new TransferStats(worker.clock, options.maxReconnectMs),
    options,
    (peer) => peer.request('check_data', { digests: [...byDigest.keys()] }, { signal: options.signal }),
  );
  const lacks = new Set(missing);
  const sent: SentData[] = [];
  for (const set of byDigest.values())
    sent.push(lacks.has(set.digest) ? await sendOne(worker, set, options) : allThere(set));
  return sum(sent);
}

async function sendOne(worker: RemoteWorker, set: FileSet, options: DataOptions): Promise<SentData> {
  const { name, digest } = set;
  const about = { kind: 'data_push', name, digest, peers: [worker.known.name], priority: options.priority } as const;
  return await tracked(worker, about, options, (controlled, transfer) => push(worker, set, controlled, transfer));
}

async function push(
  worker: RemoteWorker,
  set: FileSet,
  options: DataOptions,
  transfer: TrackedTransfer,
): Promise<SentData> {
  const { digest, bytes, manifest } = set;
  if (manifest === undefined) throw new ModelRtcError('bad_argument', `${set.name} holds no files.`);
  const { registry, clock, limits } = worker;
  const stats = new TransferStats(clock, options.maxReconnectMs);
  transfer.describe({ totalBytes: bytes });
  const task = { stats, speed: new TransferSpeed(options, limits.up, clock, transfer), options, transfer };
  const offered = { digest, size: bytes, openModel: async () => registry.openFileSet(set) };
  try {
    const { result, peer } = await pushUntilThere(
      worker,
      { ...offered, ask: (asked, how) => asked.request('push_data', { manifest }, how) },
      task,
    );
    assertSent(digest, result.digest);
    return stats.report(peer.lanes, result);
  } catch (error) {
    throw asChanged(error);
  }
}

function allThere({ bytes }: FileSet): SentData {
  return { transferredBytes: 0, reusedBytes: bytes, resumedBytes: 0 };
}

function sum(parts: readonly SentData[]): SentData {
  const total = (key: keyof SentData): number => parts.reduce((bytes, part) => bytes + part[key], 0);
  return {
    transferredBytes: total('transferredBytes'),
    reusedBytes: total('reusedBytes'),
    resumedBytes: total('resumedBytes'),
  };
}

function assertSent(sent: Digest, there: Digest): void {
  if (sent === there) return;
  throw new ModelRtcError('verification_failed', 'The worker took other data than was sent. Run the command again.');
}

/** A reader of registered models advises to import them again. */
function asChanged(error: unknown): ModelRtcError {
  const known = ModelRtcError.from(error);
  const path = known.details?.path;
  if (known.code !== 'source_changed' || typeof path !== 'string') return known;
  const sentence = `${path} changed since it was read. Wait until nothing writes to it, and run the command again.`;
  return new ModelRtcError('source_changed', sentence, { cause: known, details: known.details });
}
