import type { MeshModel, MeshNodeInfo } from '@model-rtc/mesh';
import type { Digest, HubOrigin, Manifest, ModelRtcError, ModelSource } from '@model-rtc/protocol';

/** A model that other machines have, as they announce it. */
export type RemoteModel = Omit<MeshModel, 'name'> & {
  readonly name?: string | undefined;
  /** The nodes that have it, or a part of it. */
  readonly holders?: readonly ModelHolder[] | undefined;
};

export interface ModelHolder {
  /** Of the node. */
  readonly key: string;
  /** False while the node is fetching the model itself. */
  readonly isWhole: boolean;
}

/** A node, and the mesh that it is in. */
export type RemoteNode = MeshNodeInfo & { readonly mesh: string };

/** This machine, as others know it. */
export interface OwnNode {
  /** Its identity key: 64 hex characters. */
  readonly key: string;
  /** Where it is in no mesh. */
  readonly name: string;
  /** What other tools call it. */
  readonly id?: string | undefined;
}

/** The models that other machines have: a mesh. */
export interface RemoteModels {
  list(): Promise<readonly RemoteModel[]>;
  /** Everyone in the meshes, this machine included. */
  nodes(): Promise<readonly RemoteNode[]>;
  /** The model that an id, alias, name or prefix of a digest names. @throws ModelRtcError `ambiguous` */
  find(ref: string): Promise<RemoteModel | undefined>;
  /** What its files are, as a machine that has it says. The bridge checks that it is the digest's. */
  manifest(digest: Digest, options: { readonly signal: AbortSignal }): Promise<Manifest>;
  /**
   * Fetches it into this machine's registry. Resolves when it is there whole.
   * @throws ModelRtcError `refused` where this machine's policy does not allow it
   */
  pull(digest: Digest, options: { readonly signal: AbortSignal }): Promise<void>;
  /** Called when the bridge begins no pull, since it was asked for too many. */
  onThrottled?(digest: Digest, error: ModelRtcError): void;
}

/** A model that the bridge serves: of this machine, or of another one. */
export interface BridgeModel {
  readonly digest: Digest;
  /** The short id. */
  readonly id: string;
  readonly alias?: string | undefined;
  readonly name?: string | undefined;
  readonly type: string;
  readonly format?: string | undefined;
  readonly sizeBytes: number;
  readonly source: ModelSource;
  readonly sourceRef?: string | undefined;
  readonly hub?: Pick<HubOrigin, 'repo' | 'commit' | 'revision'> | undefined;
  readonly releases: readonly ModelRelease[];
  readonly version?: string | undefined;
  readonly capabilities: readonly string[];
  readonly baseModel?: string | undefined;
  readonly tags: readonly string[];
  readonly license?: string | undefined;
  /** When it was made or came, as far as known; ISO 8601. */
  readonly date?: string | undefined;
  /** The path of the file that tools load. */
  readonly mainFile?: string | undefined;
  /** Whether it is whole in this machine's registry. */
  readonly isHere: boolean;
}

/** `GROUP/MODEL@VERSION` of a static registry. */
export interface ModelRelease {
  readonly group: string;
  readonly model: string;
  readonly version: string;
}

/** A file of a model. */
export interface ModelFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** The bytes of one file of a model. One read at a time. */
export interface FileBytes {
  /**
   * Reads some bytes from an offset on, at least one; waits for them where the model is still being fetched.
   * @returns how many bytes of `into` are filled
   * @throws ModelRtcError when they cannot come any more
   */
  read(offset: number, into: Uint8Array, signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}
