import type { Clock, Log, RunnerSummary } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { Agent } from '@model-rtc/transport';
import type { MeshProperty } from '../types.ts';

export interface OpenMeshNodesOptions {
  readonly registry: Registry;
  /** The one mesh to take part in; all that this machine joined when left out, those that it joins later included. */
  readonly name?: string | undefined;
  readonly agent: Agent;
  readonly tags: readonly string[];
  /** What this machine is, asked now and then. */
  readonly properties: () => Promise<Readonly<Record<string, MeshProperty>>>;
  readonly usesMdns: boolean;
  /** The name that members see, instead of that with which this machine joined. */
  readonly nodeName?: string | undefined;
  /** Called when a node showed its membership here. */
  readonly onJoined?: ((nodeName: string, meshName: string) => void) | undefined;
  /** Between two catalogs when nothing changes, in milliseconds; five minutes when left out. */
  readonly gossipIntervalMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly clock?: Clock | undefined;
}

/** What meshes are told of the worker of this machine. */
export interface MeshWorker {
  urls(): readonly string[];
  /** It has to wait at other signaling servers from now on. */
  signalingChanged(): void;
  embeddedPort(): number | undefined;
  /** Starts a signaling server for the local network, unless there is one. */
  openForLan(): Promise<void>;
  runners(): Promise<readonly RunnerSummary[]>;
}
