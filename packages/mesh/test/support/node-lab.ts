import { type Digest, ModelRtcError, type SessionToken, silentLog, toBase64Url } from '@model-rtc/protocol';
import type { Handlers, Peer, SealedHandlers, SealedVisit } from '@model-rtc/transport';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import { sharedSecretsOf } from '../../src/core/index.ts';
import type { LanSighting } from '../../src/node/mdns/types.ts';
import { MeshNode } from '../../src/node/mesh-node.ts';
import { StoredMeshView } from '../../src/node/records/stored-view.ts';
import { MeshSessions } from '../../src/node/sessions.ts';
import { saveMesh } from '../../src/node/state/mesh-folders.ts';
import { memoryCache } from './memory-cache.ts';
import { identityOf, joined, keyTextOf, MESH_ID, START_MS, seedOf } from './people.ts';

const LOOK_MS = 2_000;
const HOUR_MS = 3_600_000;
const GOSSIP_MS = 300_000;

export interface LabNode {
  readonly key: string;
  readonly view: StoredMeshView;
  readonly sessions: MeshSessions;
  readonly node: MeshNode;
  /** How far its clock is ahead of the right time; a test may change it. */
  offsetMs: number;
}

/** Whole nodes of one mesh in this process, each with a clock of its own, in virtual time. Each has one model, named by its number. */
export class NodeLab {
  readonly clock = new VirtualClock();
  readonly nodes: LabNode[] = [];
  #started: readonly LabNode[] = [];

  /**
   * @param offsets - how far each node's clock is ahead of the right time
   * @param groups - the numbers of nodes that know each other as members at first; all do when left out
   * @param prepare - done before any node starts; gives those that do. The others only answer
   */
  static async open(
    offsets: readonly number[],
    groups?: readonly (readonly number[])[],
    prepare?: (lab: NodeLab) => Promise<readonly LabNode[]>,
  ): Promise<NodeLab> {
    const lab = new NodeLab();
    const all = offsets.map((_, i) => i + 1);
    for (const number of all) {
      const known = groups?.find((group) => group.includes(number)) ?? all;
      await lab.#add(number, offsets[number - 1] ?? 0, known);
    }
    lab.#started = (await prepare?.(lab)) ?? lab.nodes;
    for (const { node } of lab.#started) node.start();
    return lab;
  }

  /** The right time: milliseconds since 1970. */
  nowMs(): number {
    return START_MS + this.clock.nowMs();
  }

  /** Lets so much time pass, with all that the nodes do in it. */
  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += LOOK_MS) {
      await this.clock.advance(LOOK_MS);
      for (const { node } of this.#started) await node.look();
    }
    await this.clock.advance(0);
  }

  /** Every node hears all others on a local network. */
  allAnnounce(): void {
    for (const { node, key } of this.nodes)
      for (const other of this.nodes.filter((one) => one.key !== key)) node.seenOnLan(sightingOf(other));
  }

  async close(): Promise<void> {
    const closing = Promise.all(this.nodes.map(({ node }) => node.close()));
    // A node waits for its goodbye to be heard.
    await this.clock.advance(10_000);
    await closing;
  }

  async #add(number: number, offsetMs: number, known: readonly number[]): Promise<void> {
    const [key, identity] = [keyTextOf(number), identityOf(number)];
    const membership = joined(number, { atMs: START_MS - HOUR_MS });
    const mesh = await saveMesh(await temporaryFolder(), {
      ...{ version: 1, id: MESH_ID, name: 'lab', nodeName: `node-${number}`, scopes: ['read'], signalingUrls: [] },
      ...{
        contacts: [],
        meetings: [],
        joinedAt: new Date(START_MS).toISOString(),
        membership: toBase64Url(membership.bytes),
      },
    });
    const own = { offsetMs };
    const wallMs = (): number => this.nowMs() + own.offsetMs;
    const parts = { joined: mesh, cache: memoryCache(), identity, authority: undefined, log: silentLog };
    const view = new StoredMeshView({ ...parts, wallMs });
    await view.open();
    for (const other of known) await view.accept(joined(other, { atMs: START_MS - HOUR_MS }).bytes, keyTextOf(other));
    const contacts = known
      .filter((other) => other !== number)
      .map((other) => ({ key: keyTextOf(other), urls: ['ws://10.0.0.1:1'] }));
    const sessions = new MeshSessions(MESH_ID, identity.publicKey, sharedSecretsOf(seedOf(number)));
    const setMembers = () => sessions.setMembers(view.members().map((member) => member.key));
    setMembers();
    const node = new MeshNode({
      ...{ view, meshName: 'lab', ownKey: key, contacts, signalingUrls: [], role: 'worker' },
      ...{ gossipIntervalMs: GOSSIP_MS, clock: this.clock, random: () => 0.5, log: silentLog, wallMs },
      agent: { name: 'test', version: '0' },
      meetingSecrets: () => [],
      sessions,
      visit: async (token) => this.#visit(token),
      connect: async (token, handlers) => this.#connect(key, token, handlers),
      own: async () => ownState(number),
    });
    node.onChange(setMembers);
    this.nodes.push(Object.assign(own, { key, view, sessions, node }));
  }

  /** @throws ModelRtcError `refused` by a node that does not know the visitor */
  #worker({ workerKey, keyId }: Pick<SessionToken, 'workerKey' | 'keyId'>) {
    const to = this.nodes.find(({ key }) => key === toHex(workerKey)) as LabNode;
    const visitor = to.sessions.visitorOf(toHex(keyId));
    if (visitor === undefined) throw new ModelRtcError('refused', 'The worker does not know this session.');
    return { to, visitor };
  }

  #visit(token: SessionToken): SealedVisit {
    const { to, visitor } = this.#worker(token);
    const { visitors } = to.node;
    const handlers: SealedHandlers =
      visitor.kind === 'door' ? visitors.atDoor() : visitors.ofMemberWithoutLane(visitor.key);
    const request = async (method: 'mesh_gossip', params: never) => await handlers[method]?.(params);
    return { request, [Symbol.dispose]: () => {} } as Partial<SealedVisit> as SealedVisit;
  }

  #connect(fromKey: string, token: SessionToken, handlers: Handlers): Peer {
    const { to } = this.#worker(token);
    let end = (): void => {};
    const closed = new Promise<undefined>((resolve) => {
      end = () => resolve(undefined);
    });
    const peerOf = (theirs: Handlers): Peer => {
      const request = async (method: 'mesh_gossip', params: never) => await theirs[method]?.(params, {} as never);
      return { closed, close: async () => end(), openLanes: () => [], request } as Partial<Peer> as Peer;
    };
    const visitor = peerOf(handlers);
    return peerOf(to.node.visitors.ofMember(fromKey, () => to.node.adopt(fromKey, visitor)));
  }
}

function sightingOf({ key, sessions }: LabNode): LanSighting {
  const nodeHint = sessions.lanHint(key);
  const maskedKey = sessions.maskedKey(key, nodeHint);
  return { meshHint: sessions.lanHint(), nodeHint, maskedKey, urls: ['ws://10.0.0.1:1'], isLeaving: false };
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function ownState(number: number) {
  const model = {
    ...{ digest: String(number).repeat(64) as Digest, modelId: '00000000', name: `model-${number}`, type: 'llama' },
    ...{ sizeBytes: 1, source: 'hub' as const, capabilities: [], tags: [] },
  };
  const name = `node-${number}`;
  return { name, tags: [], properties: {}, urls: ['ws://10.0.0.1:1'], models: [model], fetching: [], hints: [] };
}
