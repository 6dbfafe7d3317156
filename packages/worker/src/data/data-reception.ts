import { join } from 'node:path';
import { type Digest, type Manifest, manifestDigest, modelSize, type Result } from '@model-rtc/protocol';
import type { DataSets } from '@model-rtc/registry';
import {
  limitTransfer,
  loadZstd,
  PeerEncodings,
  peerPool,
  type ReceivedData,
  receiveData,
  stepOfTransfer,
  type TrackedTransfer,
  trackTransfer,
} from '@model-rtc/transfer';
import type { RequestContext } from '@model-rtc/transport';
import { OpenPushes } from '../handlers/open-pushes.ts';
import { emitProgress } from '../handlers/push-model.ts';
import { StagedPushes } from '../handlers/staged-pushes.ts';
import type { HandlerOptions } from '../handlers/types.ts';

export interface DataReceptionOptions extends Pick<HandlerOptions, 'registry' | 'log' | 'limits'> {
  readonly dataSets: DataSets;
  /** What one token's unfinished pushes may take on the disk. */
  readonly maxStagedBytes: number;
}

interface PushedData {
  readonly manifest: Manifest;
  readonly digest: Digest;
  readonly owner: string;
}

/** Takes the data of jobs from clients, as `push_model` takes models: the manifest says what, the asking peer is where from. */
export class DataReception {
  readonly #options: DataReceptionOptions;
  readonly #pushes = new OpenPushes();
  readonly #staged: StagedPushes;

  constructor(options: DataReceptionOptions) {
    const { dataSets, log, maxStagedBytes } = options;
    this.#options = options;
    const paths = { staging: dataSets.staging, pushesFile: join(dataSets.folder, 'pushes.json') };
    this.#staged = new StagedPushes({ paths, log, maxBytes: maxStagedBytes });
  }

  /** Those that the owner has to push before a job can read them. */
  async missing(digests: readonly Digest[], owner: string): Promise<Digest[]> {
    const missing: Digest[] = [];
    for (const digest of digests) if (!(await this.#options.dataSets.check(digest, owner))) missing.push(digest);
    return missing;
  }

  /**
   * Pulls the files of a manifest from the asking peer into the cache.
   * @param owner - whose push it is: the id of the token
   * @throws ModelRtcError `busy` for too many at once; what `receiveData` throws
   */
  async receive(manifest: Manifest, owner: string, context: RequestContext<'push_data'>): Promise<Result<'push_data'>> {
    return await this.#pushes.run(owner, manifest, () => this.#receive(manifest, owner, context));
  }

  async #receive(
    manifest: Manifest,
    owner: string,
    context: RequestContext<'push_data'>,
  ): Promise<Result<'push_data'>> {
    const { registry, log } = this.#options;
    const digest = manifestDigest(manifest);
    const name = nameOf(manifest);
    const about = { kind: 'data_receive', name, digest, peers: [context.peer.remote.agent.name] } as const;
    const tracking = { folder: registry.paths.transfers, about, signal: context.signal, log };
    return await trackTransfer(tracking, (transfer) =>
      this.#receiveTracked({ manifest, digest, owner }, context, transfer),
    );
  }

  async #receiveTracked(
    { manifest, digest, owner }: PushedData,
    context: RequestContext<'push_data'>,
    transfer: TrackedTransfer,
  ): Promise<Result<'push_data'>> {
    const { dataSets, registry, limits, log } = this.#options;
    const { peer } = context;
    const { signal } = transfer;
    const size = modelSize(manifest);
    transfer.describe({ totalBytes: size });
    const receive = async (): Promise<ReceivedData> => {
      const encodings = new PeerEncodings({ loadZstd });
      const { pool, stop } = peerPool(peer, digest, peer.remote.agent.name, { encodings });
      return await receiveData({
        ...{ dataSets, registry, digest, manifest, owner, signal, log },
        sources: pool,
        limiter: limitTransfer(transfer, limits?.down, limits?.bySize, size),
        onProgress: (progress) => {
          transfer.note(stepOfTransfer(progress));
          void emitProgress(context, progress);
        },
      }).finally(stop);
    };
    const received = await this.#staged.run({ keyId: owner, digest, bytes: size }, receive);
    log.info({ digest, outcome: received.outcome }, 'data received');
    return { digest, ...received };
  }
}

/** A client names its data only when it submits the job. */
function nameOf({ files }: Manifest): string {
  const [first] = files;
  return files.length === 1 && first !== undefined ? first.path : `${files.length} files`;
}
