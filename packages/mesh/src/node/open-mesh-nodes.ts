import { type Clock, type Log, silentLog, systemClock } from '@model-rtc/protocol';
import { loadIdentity, loadIdentitySeed } from '@model-rtc/registry';
import {
  type Authority,
  type Authorization,
  connectToSession,
  type Handlers,
  type Peer,
  type SealedHandlers,
  visitSession,
} from '@model-rtc/transport';
import { sharedSecretsOf } from '../core/index.ts';
import { endSoon } from './door.ts';
import { noMemberError } from './links/as-member.ts';
import { type Lan, openLan } from './mdns/lan.ts';
import { meetingSecretsOf } from './meetings/meeting-secrets.ts';
import { MeshNode } from './mesh-node.ts';
import type { MeshWorker, OpenMeshNodesOptions } from './mesh-nodes-options.ts';
import { keepReach } from './node-infos.ts';
import { OwnMachine } from './own/own-machine.ts';
import { openMeshView } from './records/open-mesh-view.ts';
import { MeshSessions } from './sessions.ts';
import { isMeshCalled, type JoinedMesh, joinedMesh, joinedMeshes, meshFolder } from './state/mesh-folders.ts';
import { openRecordCache, type RecordCache } from './state/record-cache.ts';
import { hintsFrom, scoresFile } from './state/scores.ts';
import { partsTidier } from './state/tidy-parts.ts';
import { VisitorAudit } from './visitor-audit.ts';

/** How often it is looked whether this machine joined or left a mesh. */
const LOOK_MS = 3_000;
const GOSSIP_INTERVAL_MS = 300_000;
const CONNECT_MS = 20_000;

/**
 * Takes part in the meshes that this machine joined, for its worker.
 * @throws ModelRtcError `not_found_locally` when it did not join the named one; `storage`
 */
export async function openMeshNodes(options: OpenMeshNodesOptions): Promise<MeshNodes> {
  const { root, keys } = options.registry.paths;
  if (options.name !== undefined) await joinedMesh(root, options.name, options.log);
  const [identity, seed] = [await loadIdentity(keys), await loadIdentitySeed(keys)];
  const cache = await openRecordCache(meshFolder(root), options.log);
  const nodes = new MeshNodes(options, { cache, ownKey: identity.publicKey, sharedSecretOf: sharedSecretsOf(seed) });
  await nodes.look();
  return nodes;
}

interface Parts {
  readonly cache: RecordCache;
  readonly ownKey: Uint8Array;
  readonly sharedSecretOf: (otherKey: Uint8Array) => Uint8Array;
}

interface Participation {
  readonly joined: JoinedMesh;
  readonly node: MeshNode;
  readonly sessions: MeshSessions;
  members: string;
}

/** This machine in its meshes, as its worker uses it. */
export class MeshNodes {
  readonly #options: OpenMeshNodesOptions;
  #parts: Parts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #own: OwnMachine;
  readonly #audit: VisitorAudit;
  readonly #tidyParts: ReturnType<typeof partsTidier>;
  readonly #taking = new Map<string, Participation>();
  #signalingUrls: readonly string[] = [];
  #worker: MeshWorker | undefined;
  #bridgeUrl: string | undefined;
  #lan: Lan | undefined;
  #hasOpenedForLan = false;
  #stopTimer: () => void = () => {};
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: OpenMeshNodesOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#clock = options.clock ?? systemClock;
    this.#tidyParts = partsTidier(() => this.#parts.cache, this.#clock);
    this.#log = options.log ?? silentLog;
    const { registry, properties } = options;
    this.#audit = new VisitorAudit({ registry, log: this.#log, clock: this.#clock });
    const runners = async () => (await this.#worker?.runners()) ?? [];
    this.#own = new OwnMachine({ registry, properties, runners, clock: this.#clock });
  }

  /** Signaling servers at which members of these meshes look for each other. */
  get signalingUrls(): readonly string[] {
    return this.#signalingUrls;
  }

  /** The meshes, and how many others are in each as far as is known. */
  joined(): readonly { readonly name: string; readonly others: number }[] {
    return [...this.#taking.values()].map(({ joined, node }) => ({
      name: joined.mesh.name,
      others: node.view.members().length - 1,
    }));
  }

  authorize(keyId: string): Authorization | undefined {
    for (const { joined, node, sessions } of this.#taking.values()) {
      const visitor = sessions.visitorOf(keyId);
      if (visitor === undefined) continue;
      const { secret } = visitor;
      if (visitor.kind === 'door') return { secret, authority: { scopes: ['read'], keyId } };
      const check = (): void => {
        if (node.view.scopesOf(visitor.key) !== undefined) return;
        void this.#audit.refusedMember(joined.mesh.name, visitor.key);
        throw noMemberError();
      };
      return { secret, authority: { scopes: node.view.scopesOf(visitor.key) ?? [], keyId, check } };
    }
    return undefined;
  }

  /** What a visitor may ask, given what the worker answers the holders of its sessions. */
  handlers({ keyId = '' }: Authority, ordinary: Handlers): Handlers {
    const [found] = this.#visitor(keyId);
    if (found === undefined) return ordinary;
    if (found.key === undefined) return found.node.visitors.atDoor();
    const { node, key } = found;
    const member = node.view.members().find((one) => one.key === key);
    const handlers = { ...ordinary, ...node.visitors.ofMember(key, (peer) => node.adopt(key, peer)) };
    return member === undefined ? handlers : this.#audit.noting(handlers, { mesh: found.mesh, member });
  }

  /** What a visitor may ask that has no connection. */
  sealedHandlers({ keyId = '' }: Authority): SealedHandlers {
    const [found] = this.#visitor(keyId);
    if (found === undefined) return {};
    return found.key === undefined ? found.node.visitors.atDoor() : found.node.visitors.ofMemberWithoutLane(found.key);
  }

  connected(peer: Peer, { keyId = '' }: Authority): void {
    const [found] = this.#visitor(keyId);
    if (found !== undefined && found.key === undefined) endSoon(peer, this.#clock);
  }

  /** The worker waits for visitors from now on. */
  start(worker: MeshWorker): void {
    this.#worker = worker;
    for (const { node } of this.#taking.values()) node.start();
    if (this.#options.usesMdns) {
      this.#lan = openLan({
        ...{ announcements: () => this.#announcements(), log: this.#log, clock: this.#clock },
        onSighting: (sighting) => {
          for (const { node, sessions } of this.#taking.values())
            if (sessions.lanHint() === sighting.meshHint) node.seenOnLan(sighting);
        },
      });
    }
    const warn = (error: unknown) => this.#log.warn({ err: error }, 'The meshes of this machine could not be read.');
    const look = (): void => {
      this.#looking ??= this.look()
        .catch(warn)
        .finally(() => (this.#looking = undefined));
    };
    this.#stopTimer = this.#clock.every(LOOK_MS, look);
    look();
  }

  /** Members are told from now on where the HTTP bridge of this machine is. */
  announceBridge(url: string | undefined): void {
    this.#bridgeUrl = url;
  }

  /** Takes part in meshes that were joined, and in those that were left no more. */
  async look(): Promise<void> {
    const { registry, name, log } = this.#options;
    if (!(await this.#parts.cache.isCurrent())) await this.#renewCache();
    const all = await joinedMeshes(registry.paths.root, log);
    const wanted = all.filter(({ mesh }) => name === undefined || isMeshCalled(mesh, name));
    for (const [id, { node }] of this.#taking) {
      if (wanted.some(({ mesh }) => mesh.id === id)) continue;
      this.#taking.delete(id);
      await node.close();
    }
    for (const joined of wanted) if (!this.#taking.has(joined.mesh.id)) await this.#take(joined);
    await this.#tidyParts([...this.#taking.values()].map(({ node }) => node.view));
    await this.#openForLan();
    const urls = [...new Set(wanted.flatMap(({ mesh }) => mesh.signalingUrls))];
    if (urls.join() === this.#signalingUrls.join()) return;
    this.#signalingUrls = urls;
    this.#worker?.signalingChanged();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopTimer();
    this.#lan?.close();
    await this.#looking;
    for (const { node } of this.#taking.values()) await node.close();
    await this.#parts.cache.close();
  }

  /** The meshes begin anew with another cache, and ask for what they had. */
  async #renewCache(): Promise<void> {
    const { cache: before } = this.#parts;
    const cache = await openRecordCache(meshFolder(this.#options.registry.paths.root), this.#log);
    for (const { node } of this.#taking.values()) await node.close();
    this.#taking.clear();
    this.#parts = { ...this.#parts, cache };
    await before.close();
  }

  async #take(joined: JoinedMesh): Promise<void> {
    const { cache, ownKey, sharedSecretOf } = this.#parts;
    const { registry, agent, gossipIntervalMs = GOSSIP_INTERVAL_MS } = this.#options;
    const { mesh } = joined;
    const view = await openMeshView({ joined, cache, keysFolder: registry.paths.keys, log: this.#log });
    await view.clearOwnProblem();
    const sessions = new MeshSessions(mesh.id, ownKey, sharedSecretOf);
    const scores = scoresFile(joined.folder);
    const node = new MeshNode({
      ...{
        view,
        sessions,
        agent,
        gossipIntervalMs,
        role: 'worker',
        meshName: mesh.name,
        ownKey: Buffer.from(ownKey).toString('hex'),
      },
      ...{ contacts: mesh.contacts, signalingUrls: mesh.signalingUrls },
      ...{ clock: this.#clock, log: this.#log, random: Math.random },
      connect: (token, handlers, signal) =>
        connectToSession({ token, agent, handlers, signal, timeoutMs: CONNECT_MS, log: this.#log }),
      visit: (token, signal) => visitSession({ token, signal, log: this.#log }),
      meetingSecrets: () => meetingSecretsOf({ membership: view.membership, ownKey: view.ownKey, mesh }),
      onJoined: (member) => this.#options.onJoined?.(member.name, mesh.name),
      onRefused: (shown) =>
        void this.#audit.refused(mesh.name, shown, (key) => view.membership.roster?.removed.has(key) === true),
      onReach: (reach) =>
        void keepReach(cache, mesh.id, reach).catch((error: unknown) =>
          this.#log.warn({ err: error }, 'How members are reached could not be kept.'),
        ),
      own: async () => ({
        ...{
          name: this.#options.nodeName ?? mesh.nodeName,
          tags: this.#options.tags,
          urls: this.#worker?.urls() ?? [],
        },
        ...{ ...(await this.#own.state()), bridgeUrl: this.#bridgeUrl },
        hints: hintsFrom(await scores.read(), Date.now()),
      }),
    });
    const taking: Participation = { joined, node, sessions, members: '' };
    const setMembers = (): void => {
      const keys = view.members().map(({ key }) => key);
      if (keys.join() === taking.members) return;
      taking.members = keys.join();
      sessions.setMembers(keys);
    };
    node.onChange(setMembers);
    setMembers();
    this.#taking.set(mesh.id, taking);
    if (this.#worker !== undefined) node.start();
  }

  /** The member, or the one at the door, whose session has this key id. */
  #visitor(keyId: string) {
    return [...this.#taking.values()].flatMap(({ joined, node, sessions }) => {
      const visitor = sessions.visitorOf(keyId);
      if (visitor === undefined) return [];
      return [{ mesh: joined.mesh.name, node, key: visitor.kind === 'door' ? undefined : visitor.key }];
    });
  }

  /** A worker that waits at other servers has none that a machine on its network could find. */
  async #openForLan(): Promise<void> {
    if (this.#lan === undefined || this.#hasOpenedForLan || this.#taking.size === 0) return;
    this.#hasOpenedForLan = true;
    try {
      await this.#worker?.openForLan();
      this.#lan.refresh();
    } catch (error) {
      this.#log.warn({ err: error }, 'This worker is not found on the local network: no port is free for that.');
    }
  }

  #announcements() {
    const port = this.#worker?.embeddedPort();
    if (port === undefined) return [];
    const ownKey = Buffer.from(this.#parts.ownKey).toString('hex');
    return [...this.#taking.values()].map(({ sessions }) => {
      const nodeHint = sessions.lanHint(ownKey);
      return { meshHint: sessions.lanHint(), nodeHint, maskedKey: sessions.maskedKey(ownKey, nodeHint), port };
    });
  }
}
