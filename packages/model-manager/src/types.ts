import type { AgentLimits } from '@model-rtc/client';
import type { Fetch } from '@model-rtc/http';
import type { Clock, Digest, Log, SessionToken } from '@model-rtc/protocol';
import type {
  ModelVersion,
  PublishResult as PublishedManifest,
  PublishProgress,
  S3Options,
} from '@model-rtc/static-registry';
import type { Priority, StorageCap } from '@model-rtc/transfer';

export interface ModelManagerConfig {
  /** The program's name: the folder of its models, and `<APPNAME>_MODELS_DIR`, follow from it. */
  readonly appName: string;
  /** A static registry: `https://...`, `http://...` or `file:///...`. Without one, only what is installed can be asked about. */
  readonly registryUrl?: string | undefined;
  /** The folder for all that is kept, instead of the one that follows from `appName`. */
  readonly dataDir?: string | undefined;
  /**
   * Publishers' public keys: only what one of them signed is taken from the registry. They count in place of those that a person pinned
   * for it, and are not remembered.
   */
  readonly trustKeys?: readonly string[] | undefined;
  /** Keys that count as well, and are pinned for the registry once they have signed a list that was accepted. */
  readonly pinKeys?: readonly string[] | undefined;
  /** Where proxies are named (`HTTPS_PROXY` and its like); this process's environment by default. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** What a `ModelManager` uses of its surroundings. */
export interface ModelManagerParts {
  /** In place of Node's. */
  readonly fetch?: Fetch | undefined;
  /** A pino logger is one. Nothing is logged by default. */
  readonly logger?: Log | undefined;
  readonly clock?: Clock | undefined;
  /** Limits on all transfers together; none by default. */
  readonly limits?: AgentLimits | undefined;
  /** How much room the models in the data folder may take; any by default. Others than installed versions make room for what is pulled. */
  readonly storage?: StorageCap | undefined;
}

/** A version of a registry that is on this machine. */
export interface InstalledModel extends ModelVersion {
  /** The names of the registry that lead here, as they did at the last pull or update. */
  readonly aliases: readonly string[];
  /** The model's identity, by which `client` commands and workers know it. */
  readonly id: string;
  readonly digest: Digest;
  /** The SHA-256 of the registry's manifest that it came from. */
  readonly manifest?: Digest | undefined;
  readonly registry?: string | undefined;
  /** Bytes of all files. */
  readonly size: number;
  readonly fileCount: number;
  /** The folder with its files, absolute. */
  readonly path: string;
  /** ISO 8601. */
  readonly installedAt?: string | undefined;
  readonly license?: string | undefined;
  readonly description?: string | undefined;
  /** Whether all files are there with the size and time that they had when they were verified. */
  readonly isWhole: boolean;
}

/** A version that a registry lists. */
export interface RemoteModel extends ModelVersion {
  /** What it leads to, where it is only another name. */
  readonly aliasOf?: string | undefined;
  /** The SHA-256 of its manifest, or of what the alias leads to. Undefined for an alias that leads nowhere. */
  readonly hash?: Digest | undefined;
  readonly digest?: Digest | undefined;
  /** Bytes of all files, where the list says it. */
  readonly size?: number | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The same version on this machine, whatever its content. */
  readonly installed?: InstalledModel | undefined;
}

/** A version with what its manifest says. */
export interface RemoteModelDetail extends RemoteModel {
  readonly hash: Digest;
  readonly size: number;
  readonly chunkSize: number;
  readonly chunkCount: number;
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256?: Digest | undefined }[];
}

export type PullProgress =
  /** The list of models and the manifest are fetched. */
  | { readonly type: 'manifest' }
  /** What there is to fetch is known. */
  | {
      readonly type: 'found';
      readonly version: ModelVersion;
      readonly totalBytes: number;
      readonly totalChunks: number;
    }
  | {
      readonly type: 'transfer';
      readonly state: 'preparing' | 'transferring' | 'verifying' | 'completed';
      readonly doneBytes: number;
      readonly totalBytes: number;
      readonly doneChunks: number;
      readonly totalChunks: number;
      readonly bytesPerSecond: number;
      readonly secondsLeft: number | undefined;
      /** Bytes that came over the network, each once; that this machine had; and that an earlier attempt brought. They add up to `doneBytes`. */
      readonly transferredBytes: number;
      readonly reusedBytes: number;
      readonly resumedBytes: number;
      /** Bytes that came in vain. */
      readonly wastedBytes: number;
      /** The connections to workers. */
      readonly lanes: readonly { readonly source: string; readonly kind: string; readonly bytesPerSecond: number }[];
    }
  /** Something holds the pull up: another process that pulls the same, a connection that was lost. */
  | { readonly type: 'waiting'; readonly reason: string };

export interface PullOptions {
  /** Which of the machine's transfers go first; normal when left out. */
  readonly priority?: Priority | undefined;
  /** Pulls even an installed version: verifies it, and brings it up to date with the registry in one step. */
  readonly force?: boolean | undefined;
  /** Chunks that are fetched at once, from 1 to 16; 4 by default. */
  readonly concurrency?: number | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Session tokens of workers that may have the model as well: chunks come from them and from the registry at once. */
  readonly workers?: readonly (string | SessionToken)[] | undefined;
}

export interface PullResult {
  readonly model: InstalledModel;
  /** `already_there` when its files were here: in another version, or another pull brought them meanwhile. */
  readonly outcome: 'installed' | 'already_there';
  /** The alias that was asked for; `model.version` is what it leads to. */
  readonly alias?: string | undefined;
  /** Bytes that came over the network, and bytes that this machine had. */
  readonly transferredBytes: number;
  readonly reusedBytes: number;
  readonly seconds: number;
  /** What each source gave, the registry and workers alike. */
  readonly sources: readonly { readonly name: string; readonly bytes: number }[];
}

export interface RemovedVersions {
  readonly removed: readonly InstalledModel[];
  readonly freedBytes: number;
  /** Those whose files stay: the same content has another name here. */
  readonly kept: readonly ModelVersion[];
}

/** What a registry has of a version that is installed. */
export interface UpdateCheck {
  readonly group: string;
  readonly model: string;
  /** The version or alias that was looked up: what `pull` takes to bring the update. */
  readonly version: string;
  readonly isAlias: boolean;
  /** `gone`: the registry does not list it any more. */
  readonly state: 'current' | 'update' | 'gone';
  /** The installed version. For one that is no alias, it is the same as the new one. */
  readonly oldVersion: string;
  readonly newVersion?: string | undefined;
  /** The manifests. */
  readonly oldHash?: Digest | undefined;
  readonly newHash?: Digest | undefined;
}

export interface Pruned {
  /** Interrupted pulls; they had installed nothing. */
  readonly transfers: number;
  /** Copies of registries' lists. */
  readonly lists: number;
  readonly freedBytes: number;
}

export interface PublishOptions {
  /** The registry: the path or `file:` address of a folder, or `s3://BUCKET/PREFIX`. */
  readonly to: string;
  /** How the bucket is reached, beside what the environment and the shared configuration files say. */
  readonly s3?: S3Options | undefined;
  /** Another name for the version, such as `latest`, that moves to it. */
  readonly alias?: string | undefined;
  /** Bytes of a chunk, from 64 KiB to 64 MiB; 10 MB by default. */
  readonly chunkBytes?: number | undefined;
  /** Beside what the model's entry says. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Whether another content may take the place of the one that has this version. */
  readonly replace?: boolean | undefined;
  /** Signs the list of models with this machine's key. A registry that is signed takes no list without a signature. */
  readonly sign?: boolean | undefined;
  /** Files with keys to sign with, instead of this machine's unless `sign` is set: a seed in hex, or PEM. */
  readonly signKeyFiles?: readonly string[] | undefined;
  /** Public keys of other publishers of the registry. */
  readonly trustKeys?: readonly string[] | undefined;
  /** Signs what is in the registry already, although none of these keys signed it. */
  readonly adopt?: boolean | undefined;
  /** Which of the machine's transfers go first; normal when left out. */
  readonly priority?: Priority | undefined;
  readonly onProgress?: ((progress: PublishProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PruneRegistryOptions {
  /** As for `publish`. */
  readonly s3?: S3Options | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PublishResult extends PublishedManifest {
  readonly version: ModelVersion;
  /** The registry, for people. */
  readonly to: string;
}

/** The keys that are pinned for a registry. */
export interface PinnedKeys {
  readonly registry: string;
  readonly keys: readonly string[];
}
