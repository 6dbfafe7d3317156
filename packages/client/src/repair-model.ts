import { type Digest, formatBytes, type Manifest, ModelRtcError, systemClock } from '@model-rtc/protocol';
import type { Registry, RegistryEntry, VerifiedModel } from '@model-rtc/registry';
import {
  limitTransfer,
  loadZstd,
  openPull,
  PeerEncodings,
  peerPool,
  type RateLimiter,
  SourcePool,
  stageIntactFiles,
  type TrackedTransfer,
} from '@model-rtc/transfer';
import type { LaneInfo, Peer } from '@model-rtc/transport';
import { overConnections } from './over-connections.ts';
import type { OnModelProgress } from './progress.ts';
import type { RemoteWorker } from './remote-worker.ts';
import { tracked } from './tracked.ts';
import { type SpeedOptions, TransferSpeed } from './transfer-speed.ts';
import { type TransferReport, TransferStats } from './transfer-stats.ts';
import { fetchManifest } from './worker-provider.ts';

export interface RepairModelOptions extends SpeedOptions {
  /** The result of a `Registry.verify` just now; the model is verified first when left out. */
  readonly found?: VerifiedModel | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnModelProgress | undefined;
}

export interface RepairModelResult extends TransferReport {
  readonly entry: RegistryEntry;
  /** `sound` when nothing had to be repaired. */
  readonly outcome: 'repaired' | 'sound';
  /** What was wrong with it. */
  readonly found: VerifiedModel;
}

/** A damaged model, and what it takes to make it whole. */
interface Repair extends RepairModelOptions {
  readonly registry: Registry;
  readonly digest: Digest;
  readonly found: VerifiedModel;
  /** Bytes of whole files that were staged by this repair: the transfer takes them for those of an earlier attempt. */
  stagedBytes: number;
}

const NOTHING_MOVED = { transferredBytes: 0, wastedBytes: 0, reusedBytes: 0, resumedBytes: 0 };

/**
 * Makes a damaged model whole from what this disk has: what is right of its own files, and other models.
 * @throws ModelRtcError `verification_failed` saying how much is nowhere on this machine; nothing was changed then
 */
export async function repairFromDisk(
  registry: Registry,
  ref: string,
  options: RepairModelOptions = {},
): Promise<RepairModelResult> {
  const startedMs = systemClock.nowMs();
  const repair = await examine(registry, ref, options);
  const { digest, found } = repair;
  if (found.state === 'sound') return { ...soundReport(startedMs), entry: found.entry, outcome: 'sound', found };
  const manifest = await registry.manifest(digest).catch((error: unknown) => {
    throw notEnoughHere(found, found.entry.size, error);
  });
  const damaged = damagedIn(found, manifest);
  await requireAllHere(repair, manifest, damaged);
  try {
    await stageWhole(repair, manifest, damaged);
    const { entry, ...bytes } = await fetchAndReplace(repair, { manifest, damaged, pool: emptyPool() });
    return { ...soundReport(startedMs), ...asReused(repair, bytes), entry, outcome: 'repaired', found };
  } catch (error) {
    // The only error of a pull without sources that is about them.
    if (ModelRtcError.from(error).code !== 'network') throw error;
    throw notEnoughHere(found, found.damagedBytes, error);
  }
}

/**
 * Makes a damaged model whole: what is right of its own files and what other models have is taken from this disk, the rest
 * from the worker. The damaged files stay until all is there.
 * @throws ModelRtcError `not_found` when the worker does not have the model
 */
export async function repairModel(
  worker: RemoteWorker,
  ref: string,
  options: RepairModelOptions,
): Promise<RepairModelResult> {
  const about = { kind: 'repair', name: ref, peers: [worker.known.name], priority: options.priority } as const;
  return await tracked(worker, about, options, (controlled, transfer) =>
    repairUntilSound(worker, ref, controlled, transfer),
  );
}

async function repairUntilSound(
  worker: RemoteWorker,
  ref: string,
  options: RepairModelOptions,
  transfer: TrackedTransfer,
): Promise<RepairModelResult> {
  const { registry, clock, limits } = worker;
  const stats = new TransferStats(clock, options.maxReconnectMs);
  const startedMs = clock.nowMs();
  const repair = await examine(registry, ref, options);
  const { found } = repair;
  const { id, alias, digest, size } = found.entry;
  transfer.describe({ name: alias ?? id, digest });
  if (found.state === 'sound') {
    return { ...soundReport(startedMs, clock), entry: found.entry, outcome: 'sound', found };
  }
  // Reading the damaged files is not time without data.
  stats.watchdog.progressed();
  const speed = new TransferSpeed(options, limits.down, clock, transfer);
  const limiter = limitTransfer(transfer, speed.limiter, limits.bySize, size);
  return await overConnections(worker, stats, options, (peer) => repairOnce(peer, repair, { stats, speed, limiter }));
}

async function examine(registry: Registry, ref: string, options: RepairModelOptions): Promise<Repair> {
  const { signal, onProgress } = options;
  const onVerified = (progress: { doneBytes: number; totalBytes: number }): void =>
    onProgress?.({ type: 'local', phase: 'verify', ...progress });
  const found = options.found ?? (await registry.verify(ref, { signal, onProgress: onVerified }));
  const { id, alias, digest } = found.entry;
  if (digest !== undefined && found.state !== 'unsettled')
    return { ...options, registry, digest, found, stagedBytes: 0 };
  throw new ModelRtcError('busy', `"${alias ?? id}" is still training. Repair it when it is done.`);
}

/** How one repair moves its bytes, and what it counts. */
interface Pace {
  readonly stats: TransferStats;
  readonly speed: TransferSpeed;
  readonly limiter: RateLimiter;
}

async function repairOnce(peer: Peer, repair: Repair, pace: Pace): Promise<RepairModelResult> {
  const { digest, registry, signal, found, compress: mode } = repair;
  const { stats } = pace;
  stats.begin();
  // The worker's, since it gives the chunks of its own list; it is also there when the one here is what is damaged.
  const manifest = await fetchManifest(peer, digest, signal);
  const here = await registry.manifest(digest).catch(() => undefined);
  const isKnown = here !== undefined && isCutAlike(here, manifest);
  const damaged = isKnown ? damagedIn(found, manifest) : [];
  if (isKnown) await stageWhole(repair, manifest, damaged);
  const { pool, stop } = peerPool(peer, digest, peer.remote.agent.name, {
    encodings: new PeerEncodings({ loadZstd, mode }),
  });
  const supply = { manifest, damaged, pool, pace, lanes: () => peer.lanes };
  const { entry, ...bytes } = await fetchAndReplace(repair, supply).finally(stop);
  return { ...asReused(repair, stats.report(peer.lanes, bytes)), entry, outcome: 'repaired', found };
}

/** Originals of links are someone else's to write to, so their files are always copied. */
async function stageWhole(repair: Repair, manifest: Manifest, damagedChunks: readonly number[]): Promise<void> {
  const { registry, digest, found } = repair;
  const { linked, localPath } = found.entry;
  if (linked) return;
  const { staging } = registry.paths;
  repair.stagedBytes += await stageIntactFiles({ staging, digest, manifest, modelFolder: localPath, damagedChunks });
}

function asReused<T extends typeof NOTHING_MOVED>({ stagedBytes }: Repair, report: T): T {
  const bytes = Math.min(stagedBytes, report.resumedBytes);
  return { ...report, reusedBytes: report.reusedBytes + bytes, resumedBytes: report.resumedBytes - bytes };
}

function isCutAlike(a: Manifest, b: Manifest): boolean {
  return (
    a.files.length === b.files.length &&
    a.chunks.length === b.chunks.length &&
    a.files.every(({ path }, i) => path === b.files[i]?.path) &&
    a.chunks.every(({ digest }, i) => digest === b.chunks[i]?.digest)
  );
}

/** Where the chunks come from. */
interface Supply {
  readonly manifest: Manifest;
  /** The chunks of its list that are not taken from the model's own files; all are verified, wherever they are from. */
  readonly damaged: readonly number[];
  readonly pool: SourcePool;
  /** Both undefined where nothing comes over a network. */
  readonly pace?: Pace | undefined;
  readonly lanes?: (() => readonly LaneInfo[]) | undefined;
}

function emptyPool(): SourcePool {
  const pool = new SourcePool();
  pool.end();
  return pool;
}

async function fetchAndReplace(
  { registry, digest, signal, onProgress }: Repair,
  { manifest, damaged, pool, pace, lanes = () => [] }: Supply,
): Promise<typeof NOTHING_MOVED & { readonly entry: RegistryEntry }> {
  const { staging } = registry.paths;
  await using local = await registry.openRepairChunks(digest, manifest, damaged);
  await using pulling = await openPull({
    contents: { ...manifest, digest },
    ...{ staging, sources: pool, local, signal, watchdog: pace?.stats.watchdog, limiter: pace?.limiter },
    onProgress: (progress) => {
      pace?.stats.note(progress);
      pace?.speed.moved(progress.transferredBytes, lanes());
      onProgress?.({ type: 'transfer', ...progress });
    },
  });
  const { filesFolder, transferredBytes, reusedBytes, resumedBytes } = await pulling.fetch();
  const entry = await registry.replaceFiles(digest, { filesFolder, manifest });
  return { entry, transferredBytes, wastedBytes: 0, reusedBytes, resumedBytes };
}

/** When the model's folder is gone, all chunks are damaged. */
function damagedIn({ damagedChunks, damagedBytes }: VerifiedModel, { chunks }: Manifest): readonly number[] {
  return damagedChunks.length === 0 && damagedBytes > 0 ? [...chunks.keys()] : damagedChunks;
}

async function requireAllHere(
  { registry, digest, found }: Repair,
  manifest: Manifest,
  damaged: readonly number[],
): Promise<void> {
  await using local = await registry.openRepairChunks(digest, manifest, damaged);
  const wanted = new Map(
    damaged.flatMap((index) => manifest.chunks[index] ?? []).map(({ digest: id, size }) => [id, size]),
  );
  const located = await local.locateChunks(wanted.keys());
  let missingBytes = 0;
  for (const [chunk, size] of wanted) if (!located.has(chunk)) missingBytes += size;
  if (missingBytes > 0) throw notEnoughHere(found, missingBytes);
}

function notEnoughHere({ entry }: VerifiedModel, missingBytes: number, cause?: unknown): ModelRtcError {
  const name = entry.alias ?? entry.id;
  return new ModelRtcError(
    'verification_failed',
    `"${name}" is damaged, and ${formatBytes(missingBytes)} of it are nowhere else on this machine. Fetch them from a worker: model-rtc client repair-model ${name} --from SESSION, or pass --path with the place where its files are now.`,
    { cause, details: { id: entry.id, missingBytes } },
  );
}

/** The report of a repair that needed no network. */
function soundReport(startedMs: number, clock = systemClock): TransferReport {
  const seconds = (clock.nowMs() - startedMs) / 1000;
  return { ...NOTHING_MOVED, seconds, bytesPerSecond: 0, lanes: [], firstChunkMs: undefined };
}
