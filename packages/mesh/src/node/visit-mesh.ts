import { type Log, type ModelRtcError, silentLog, systemClock } from '@model-rtc/protocol';
import { dataPaths, loadIdentity, loadIdentitySeed } from '@model-rtc/registry';
import { type Agent, connectToSession, visitSession } from '@model-rtc/transport';
import { sharedSecretsOf } from '../core/index.ts';
import type { MeshMember, MeshReach } from '../types.ts';
import { type Lan, openLan } from './mdns/lan.ts';
import { meetingSecretsOf } from './meetings/meeting-secrets.ts';
import { MeshNode } from './mesh-node.ts';
import { openMeshView } from './records/open-mesh-view.ts';
import { MeshSessions } from './sessions.ts';
import { type JoinedMesh, meshFolder } from './state/mesh-folders.ts';
import { openRecordCache } from './state/record-cache.ts';

export interface VisitMeshOptions {
  /** The data folder. */
  readonly root: string;
  readonly joined: JoinedMesh;
  readonly agent: Agent;
  readonly usesMdns: boolean;
  readonly log?: Log | undefined;
}

/** A process that asks members for what is new, and leaves again. */
export interface MeshVisit {
  /** Keeps a record, and tells members of it. */
  keep(record: Uint8Array): Promise<void>;
  /**
   * Resolves when a member was asked and all that it has is here, or when the time is up.
   * @returns the members that were asked
   */
  untilHeard(options: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<readonly MeshMember[]>;
  /** Forgets what was noted about this machine before. */
  beginAnew(): Promise<void>;
  /** Whether a member said that this machine does not belong to the mesh, or a roster here says so. */
  wasRefused(): boolean;
  /** How members were reached, by their keys. */
  reach(): ReadonlyMap<string, MeshReach>;
  /** Why a member did not let this machine in, if that is its clock. */
  clockProblem(): ModelRtcError | undefined;
}

const CONNECT_MS = 15_000;

/** Looks for members on the local network and at their addresses, as a node that announces nothing, while the work lasts. */
export async function visitMesh<T>(options: VisitMeshOptions, work: (visit: MeshVisit) => Promise<T>): Promise<T> {
  const { root, joined, agent, usesMdns, log = silentLog } = options;
  const { keys } = dataPaths(root);
  const [identity, seed] = [await loadIdentity(keys), await loadIdentitySeed(keys)];
  await using cache = await openRecordCache(meshFolder(root), log);
  const view = await openMeshView({ joined, cache, keysFolder: keys, log });
  const { mesh } = joined;
  const sessions = new MeshSessions(mesh.id, identity.publicKey, sharedSecretsOf(seed));
  let clockProblem: ModelRtcError | undefined;
  const node = new MeshNode({
    ...{
      view,
      sessions,
      agent,
      log,
      role: 'client',
      meshName: mesh.name,
      ownKey: view.ownKey,
      gossipIntervalMs: Number.POSITIVE_INFINITY,
    },
    ...{ contacts: mesh.contacts, signalingUrls: mesh.signalingUrls, clock: systemClock, random: Math.random },
    visit: (token, signal) => visitSession({ token, signal, log }),
    isPassing: true,
    meetingSecrets: () => meetingSecretsOf({ membership: view.membership, ownKey: view.ownKey, mesh }),
    onNotLetIn: (error) => {
      if (error.details?.isClock === true) clockProblem = error;
    },
    connect: (token, handlers, signal) =>
      connectToSession({ token, agent, handlers, signal, timeoutMs: CONNECT_MS, log }),
  });
  const lan = usesMdns ? lookOnLan(node, sessions, log) : undefined;
  try {
    node.start();
    return await work({
      keep: async (record) => void (await view.accept(record, view.ownKey)),
      untilHeard: async ({ waitMs, signal }) => {
        const keysHeard = await node.untilHeard(waitMs, signal);
        return view.members().filter(({ key }) => keysHeard.includes(key));
      },
      beginAnew: () => view.clearOwnProblem(),
      clockProblem: () => clockProblem,
      wasRefused: () => view.scopesOf(view.ownKey) === undefined || view.problemOf(view.ownKey) !== undefined,
      reach: () => {
        const keys = view.members().map(({ key }) => key);
        return new Map(keys.flatMap((key) => [[key, node.reachOf(key)] as const].filter(isReached)));
      },
    });
  } finally {
    lan?.close();
    await node.close();
  }
}

function isReached(entry: readonly [string, MeshReach | undefined]): entry is readonly [string, MeshReach] {
  return entry[1] !== undefined;
}

function lookOnLan(node: MeshNode, sessions: MeshSessions, log: Log): Lan {
  return openLan({
    ...{ announcements: () => [], log },
    onSighting: (sighting) => {
      if (sighting.meshHint === sessions.lanHint()) node.seenOnLan(sighting);
    },
  });
}
