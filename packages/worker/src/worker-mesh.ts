import type { RunnerSummary } from '@model-rtc/protocol';
import type { Acceptor, Authority, Authorization, Handlers, Peer, SealedHandlers } from '@model-rtc/transport';

/** What a mesh is told of the worker that takes part in it. */
export interface MeshWorker {
  /** Where others reach it now: signaling servers. They change with the machine's networks. */
  urls(): readonly string[];
  /** `WorkerMesh.signalingUrls` are others now. @throws ModelRtcError `bad_argument` for an invalid URL */
  signalingChanged(): void;
  /** The port of its own signaling server, for the local network; undefined when it waits at others alone. */
  embeddedPort(): number | undefined;
  /** Starts a signaling server of its own, unless there is one: members on the local network find it there. @throws ModelRtcError `network` */
  openForLan(): Promise<void>;
  readonly acceptor: Pick<Acceptor, 'closeWhere'>;
  runners(): Promise<readonly RunnerSummary[]>;
}

/** The meshes that a worker takes part in. Their members visit it with sessions that it never issued. */
export interface WorkerMesh {
  /** Signaling servers at which members look for this worker now, besides those that it has anyway. */
  readonly signalingUrls: readonly string[];
  /** @param keyId 16 hex characters. @returns undefined for nobody that a mesh knows */
  authorize(keyId: string): Authorization | undefined;
  /** What a visitor with this authority may ask, given what the worker answers the holders of its sessions. */
  handlers(authority: Authority, ordinary: Handlers): Handlers;
  /** What it may ask over the signaling server alone. */
  sealedHandlers(authority: Authority): SealedHandlers;
  /** A visitor of any kind connected. */
  connected(peer: Peer, authority: Authority): void;
  /** The worker waits for visitors from now on. */
  start(worker: MeshWorker): void;
  /** Before the worker leaves its servers. */
  close(): Promise<void>;
}
