import { type Digest, type Log, type Manifest, modelSize } from '@model-rtc/protocol';
import type { DataSets, Registry } from '@model-rtc/registry';
import type { RateLimiter } from '../core/rate/rate-limiter.ts';
import type { OnTransferProgress } from '../core/session/progress.ts';
import type { ChunkSource } from '../core/sources/source.ts';
import type { SourcePool } from '../core/sources/source-pool.ts';
import { openPull, type PullOutcome } from './pull.ts';
import { filesIn, type OwnFiles, ownFiles, ownFilesOf } from './staging/own-files.ts';

export interface ReceiveDataOptions {
  readonly dataSets: DataSets;
  /** Where models are that may have some of the chunks. */
  readonly registry: Registry;
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** Whose data it is: the id of a token. */
  readonly owner: string;
  readonly sources: readonly ChunkSource[] | SourcePool;
  readonly limiter?: RateLimiter | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnTransferProgress | undefined;
  readonly log?: Log | undefined;
}

export interface ReceivedData extends Pick<PullOutcome, 'transferredBytes' | 'reusedBytes' | 'resumedBytes'> {
  readonly outcome: 'stored' | 'already_there';
}

/**
 * Brings the data of a job into the cache: whole and verified, or not at all. What is here already, in other data or in models, is
 * not fetched.
 *
 * @throws ModelRtcError what `pull`, `DataSets.reserve` and `DataSets.install` throw
 */
export async function receiveData(options: ReceiveDataOptions): Promise<ReceivedData> {
  const { dataSets, registry, digest, manifest, owner, ...how } = options;
  const bytes = modelSize(manifest);
  const alreadyThere = async (): Promise<ReceivedData | undefined> =>
    (await dataSets.claim(digest, owner))
      ? { outcome: 'already_there', transferredBytes: 0, reusedBytes: bytes, resumedBytes: 0 }
      : undefined;
  const here = await alreadyThere();
  if (here !== undefined) return here;
  const giveBack = await dataSets.reserve(bytes, owner);
  try {
    await using pulling = await openPull({
      ...{ ...how, contents: { ...manifest, digest }, staging: dataSets.staging, local: registry },
      alsoLocal: [{ name: 'data on this machine', local: dataSets }],
      ownFiles: clonesOf(registry, dataSets),
    });
    // Another transfer may have brought it while this one waited for the lock.
    const brought = await alreadyThere();
    if (brought !== undefined) return brought;
    const { filesFolder, transferredBytes, reusedBytes, resumedBytes } = await pulling.fetch();
    await dataSets.install(filesFolder, manifest, owner);
    return { outcome: 'stored', transferredBytes, reusedBytes, resumedBytes };
  } finally {
    giveBack();
  }
}

/** Whole files of models and of other data. They are cloned or not at all: under another name they would get the modes of data. */
function clonesOf(registry: Registry, dataSets: DataSets): OwnFiles {
  const places = [
    ownFiles(registry),
    ownFilesOf({
      locateChunks: (digests) => dataSets.locateChunks(digests),
      async filesOf(digest) {
        const found = await dataSets.filesOf(digest);
        return found === undefined ? new Map() : filesIn(found.folder, found.files, { within: dataSets.folder });
      },
    }),
  ];
  return {
    async find(contents) {
      const found = await Promise.all(places.map((place) => place.find(contents)));
      return new Map(
        found.flatMap((files) =>
          [...files].map(([sha256, file]) => [sha256, { ...file, linkMode: undefined }] as const),
        ),
      );
    },
  };
}
