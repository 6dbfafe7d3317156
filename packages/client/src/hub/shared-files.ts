import type { Digest, Manifest, ModelContents, ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import { pause } from '@model-rtc/protocol';
import type { FetchedModel, ModelProvider, ServeOptions } from '@model-rtc/transfer';
import { requireAgreement } from '@model-rtc/transfer';
import { listModels } from '../list-models.ts';
import type { ClientContext, RemoteWorker } from '../remote-worker.ts';
import { fetchManifest, serveUntilLost, WorkerProvider } from '../worker-provider.ts';

/** How long workers have to say what they have. Those that have not said it by then give nothing. */
const LOOK_MS = 15_000;
/** Models of one repository at one worker whose files are compared: the newest. */
const MAX_COMPARED = 8;
/** How long a part is that no worker knows a digest of. */
const PART_BYTES = 1024 * 1024;

/** A model at a worker that has files of a repository. */
interface Shared {
  readonly worker: RemoteWorker;
  readonly digest: Digest;
  readonly contents: ModelContents;
  readonly bytes: number;
}

/**
 * Finds workers that took a model from the same repository, at whatever commit and with whatever choice of files, and makes each
 * a provider of the files that are the same by their SHA-256.
 * @param contents - what the hub says of the model
 * @returns those that have most of it; none that has nothing
 */
export async function providersOfFiles(
  { clock, log }: ClientContext,
  workers: readonly RemoteWorker[],
  repo: string,
  contents: ModelContents,
  signal: AbortSignal | undefined,
): Promise<ModelProvider[]> {
  if (workers.length === 0) return [];
  const found: Shared[] = [];
  const looking = workers.map(async (worker) => {
    try {
      const shared = await mostOf(worker, repo, contents, signal);
      if (shared !== undefined) found.push(shared);
    } catch (error) {
      log.info({ err: error, worker: worker.known.name }, 'a worker did not say what it has of a repository');
    }
  });
  await Promise.race([Promise.all(looking), pause(LOOK_MS, clock, signal)]);
  // Chunks of one model are asked for, so workers that have the same one serve together.
  const [best] = found.sort((a, b) => b.bytes - a.bytes);
  return found.filter(({ digest }) => digest === best?.digest).map((shared) => new SharedFiles(shared));
}

async function mostOf(
  worker: RemoteWorker,
  repo: string,
  contents: ModelContents,
  signal: AbortSignal | undefined,
): Promise<Shared | undefined> {
  const { models } = await listModels(worker, { sort: 'date', signal });
  const candidates = models.flatMap(({ hub, digest }: ModelEntry) =>
    hub?.repo === repo && digest !== undefined ? [digest] : [],
  );
  let best: Shared | undefined;
  for (const digest of candidates.slice(0, MAX_COMPARED)) {
    const manifest = await fetchManifest(await worker.link.reach(signal), digest, signal);
    const { chunks, bytes } = cutAs(contents, manifest);
    if (bytes > (best?.bytes ?? 0)) best = { worker, digest, contents: { ...contents, chunks }, bytes };
  }
  return best;
}

/** The chunks of a model that a manifest knows digests of, by the files that both have; the rest in parts without digests. */
function cutAs({ files }: ModelContents, manifest: Manifest) {
  const known = chunksByFile(manifest);
  let bytes = 0;
  const chunks = files.flatMap(({ size, sha256 }): NonNullable<ModelContents['chunks']> => {
    const own = sha256 === undefined ? undefined : known.get(sha256);
    if (own !== undefined) bytes += size;
    return own ?? partsOf(size);
  });
  return { chunks, bytes };
}

/** The chunks of each file whose chunks lie in no other file. */
function chunksByFile({ files, chunks }: Manifest): Map<Digest, Manifest['chunks']> {
  const byFile = new Map<Digest, Manifest['chunks']>();
  let next = 0;
  for (const { size, sha256 } of files) {
    const own = [];
    let left = size;
    for (; left > 0; next++) {
      const chunk = chunks[next];
      if (chunk === undefined || chunk.size > left) return byFile;
      own.push(chunk);
      left -= chunk.size;
    }
    if (size > 0) byFile.set(sha256, own);
  }
  return byFile;
}

function partsOf(size: number): { size: number }[] {
  const count = Math.ceil(size / PART_BYTES);
  return Array.from({ length: count }, (_, i) => ({ size: Math.min(PART_BYTES, size - i * PART_BYTES) }));
}

/** A worker that gives some files of a model, from another model that it has. */
class SharedFiles extends WorkerProvider {
  readonly #shared: Shared;

  constructor(shared: Shared) {
    super(shared.worker);
    this.#shared = shared;
  }

  override async contents(): Promise<ModelContents> {
    return this.#shared.contents;
  }

  override async requireModel({ contents }: FetchedModel): Promise<void> {
    requireAgreement(contents, this.#shared.contents, this.name);
  }

  override async serve(_model: FetchedModel, options: ServeOptions): Promise<ModelRtcError> {
    return await serveUntilLost(await this.reach(options.signal), this.origin, this.#shared.digest, options);
  }

  /** The model is the hub's, and no worker's. */
  override async noteInstalled(): Promise<void> {}
}
