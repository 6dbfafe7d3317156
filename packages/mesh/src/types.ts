import type { Alias, Digest, ModelSource, Scope, SessionToken } from '@model-rtc/protocol';

/** A node that the mesh lets in. */
export interface MeshMember {
  /** Its identity key: 64 hex characters. */
  readonly key: string;
  readonly name: string;
  /** What it may do at every other member's worker. */
  readonly scopes: readonly Scope[];
  readonly joinedAt: Date;
}

/** A model as the node that has it announces it. */
export interface MeshModel {
  readonly digest: Digest;
  /** Its short id on the machine that announces it. */
  readonly modelId: string;
  readonly name: string;
  readonly alias?: Alias | undefined;
  readonly type: string;
  readonly format?: string | undefined;
  readonly sizeBytes: number;
  /** Of its main file, for models that have one. */
  readonly sha256?: Digest | undefined;
  readonly version?: string | undefined;
  readonly capabilities: readonly string[];
  readonly baseModel?: string | undefined;
  readonly source: ModelSource;
  /** Where it came from, for people: `hf:ORG/NAME@COMMIT`. */
  readonly sourceRef?: string | undefined;
  readonly tags: readonly string[];
  readonly license?: string | undefined;
}

export type MeshProperty = string | number | boolean;
export type MeshRole = 'worker' | 'client';

/** Which members models may be fetched from: those that the owner of this machine was asked about, or every member. */
export type ConsentRule = 'ask' | 'members';

/** How a node was reached last. */
export type MeshReach = 'lan' | 'signaling' | 'direct' | 'webrtc' | 'relay';

/** What one mesh knows of a node. */
export interface MeshNodeInfo {
  /** Its identity key: 64 hex characters. */
  readonly key: string;
  readonly name: string;
  readonly role: MeshRole;
  readonly tags: readonly string[];
  /** Numbers are in the unit that the name says; `gpu_memory` is in GB. */
  readonly properties: Readonly<Record<string, MeshProperty>>;
  /** Signaling servers at which it waits. */
  readonly urls: readonly string[];
  readonly bridgeUrl?: string | undefined;
  /** Digests of models that it is fetching now: it serves the parts that it has. */
  readonly fetching: readonly Digest[];
  /** Of its latest catalog; 0 before the first. */
  readonly sequence: number;
  readonly modelCount: number;
  /** When the latest catalog or beat came; undefined for a member that was never heard. */
  readonly heardAt: Date | undefined;
  readonly isPresent: boolean;
  readonly isSelf: boolean;
  /** Whether its catalog counts here. */
  readonly isTrusted: boolean;
  /** Whether models may be fetched from it: the owner of this machine agreed to that once. */
  readonly hasConsent?: boolean | undefined;
  readonly reachedBy?: MeshReach | undefined;
  readonly latencyMs?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
  /** A moving average of what came of fetching from it: 0 to 1, 1 for a node that was never asked. */
  readonly reliability: number;
  /** For a node that was never asked here: what others measured, from 0.7 to 1. It counts in the choice of holders alone. */
  readonly hinted?: number | undefined;
  /** A sentence about what is wrong with it: two nodes with one key, wrong content, broken limits. */
  readonly problem?: string | undefined;
}

/** A node that has a model, or a part of it. */
export interface MeshHolder {
  readonly node: MeshNodeInfo;
  /** False while it is fetching the model itself. */
  readonly isWhole: boolean;
  /** The model as this node announces it. */
  readonly model: MeshModel;
}

/** One model, by its digest, with everyone who has it. */
export interface MeshModelHolders {
  readonly digest: Digest;
  /** Every name and alias that a holder gives it, sorted. */
  readonly names: readonly string[];
  readonly model: MeshModel;
  readonly holders: readonly MeshHolder[];
}

/** Which models are wanted; each field that is there must fit. */
export interface MeshModelFilter {
  readonly type?: string | undefined;
  readonly source?: ModelSource | undefined;
  readonly tag?: string | undefined;
  /** Also those that no present node has. */
  readonly includeAbsent?: boolean | undefined;
}

/** What came of asking a node for data. */
export interface MeshOutcome {
  readonly bytes: number;
  readonly ms: number;
  readonly ok: boolean;
  readonly reason?: 'hash_mismatch' | 'timeout' | 'network_error' | 'refused' | undefined;
  readonly latencyMs?: number | undefined;
  readonly lane?: MeshReach | undefined;
}

/** A mesh as any process of this machine sees it. */
export interface Mesh extends AsyncDisposable {
  readonly name: string;
  /** The authority's public key: 64 hex characters. */
  readonly id: string;
  /** This machine's key in the mesh: 64 hex characters. */
  readonly selfKey: string;
  members(): Promise<readonly MeshMember[]>;
  nodes(): Promise<readonly MeshNodeInfo[]>;
  models(filter?: MeshModelFilter): Promise<readonly MeshModelHolders[]>;
  /**
   * The model that an id, alias, name or unique prefix of a digest names.
   * @throws ModelRtcError `not_found`; `ambiguous` with the list of digests
   */
  find(ref: string): Promise<MeshModelHolders>;
  /**
   * A session for the worker of a member, made of the secret that only the two nodes can compute.
   * @throws ModelRtcError `not_found` for no member, `worker_offline` while no address of it is known
   */
  session(nodeKey: string): Promise<SessionToken>;
  /** Asks the local network and a few members for what is new. A process that runs the mesh's worker has it already. */
  refresh(options: { readonly signal: AbortSignal; readonly waitMs?: number | undefined }): Promise<void>;
  /** Calls back after every change, by other processes of this machine too. @returns a function that ends it */
  onChange(listener: () => void): () => void;
  /** Feeds the node's reliability, latency and goodput. */
  noteOutcome(nodeKey: string, outcome: MeshOutcome): Promise<void>;
}
