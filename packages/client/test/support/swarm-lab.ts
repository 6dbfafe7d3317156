import { type ConsentedMesh, withConsent } from '@model-rtc/mesh';
import { type Clock, identityFromSeed, ModelRtcError, type SessionToken, silentLog } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { createMemoryLanes, createPeer, type Handlers, type MemoryLane, type Peer } from '@model-rtc/transport';
import { createHandlers, FreshModels } from '@model-rtc/worker';
import { type Connector, connectAll, type WorkerGroup } from '../../src/index.ts';
import { atEnd, type ChunkHold, HurriedClock, openTestRegistry, TOKEN } from './lab.ts';
import { TestMesh } from './test-mesh.ts';

/** One of several workers, in this process. */
export interface SwarmWorker {
  /** What it calls itself. */
  name: string;
  readonly registry: Registry;
  readonly token: SessionToken;
  /** Whether it can be connected to. */
  online: boolean;
  /** Holds back its chunks. */
  hold: ChunkHold | undefined;
  /** In place of what it answers. */
  answers: Handlers;
  /** The worker's ends of the connections to it, the latest last. */
  readonly lanes: MemoryLane[];
  /** For each request for chunks, whether the asker said that it passes on what it has. */
  readonly askedAsShared: boolean[];
  /** Ends the connections to it, and takes no more. */
  leave(): void;
}

export interface SwarmLab {
  readonly here: Registry;
  readonly workers: readonly SwarmWorker[];
  readonly group: WorkerGroup;
}

/** A client and several workers with a registry each. */
export async function openSwarm(count: number, clock: Clock = new HurriedClock()): Promise<SwarmLab> {
  const { here, workers, options } = await openWorkers(count, clock);
  const sessions = workers.map(({ token, name }) => ({ session: token, name: `saved-${name}` }));
  const group = connectAll({ ...options, sessions });
  atEnd(() => group.close());
  return { here, workers, group };
}

/** The same workers as nodes of a mesh. */
export async function openMeshSwarm(
  count: number,
  clock: Clock,
): Promise<SwarmLab & { readonly mesh: TestMesh; readonly consented: ConsentedMesh }> {
  const { here, workers, options } = await openWorkers(count, clock);
  const mesh = new TestMesh(workers);
  const consented = withConsent(mesh);
  const group = connectAll({ ...options, sessions: [], meshes: [consented] });
  atEnd(() => group.close());
  return { here, workers, group, mesh, consented };
}

async function openWorkers(count: number, clock: Clock) {
  const here = await openTestRegistry();
  const workers = await Promise.all(Array.from({ length: count }, (_, number) => openWorkerOf(number)));
  const connector: Connector = async ({ token, agent, handlers = {}, signal }) => {
    signal?.throwIfAborted();
    const worker = workers.find(({ swarm }) => Buffer.compare(swarm.token.workerKey, token.workerKey) === 0);
    if (worker?.swarm.online !== true) throw new ModelRtcError('worker_offline', 'The worker is offline.');
    const lanes = createMemoryLanes();
    worker.swarm.lanes.push(lanes[1]);
    const [client] = await Promise.all([
      createPeer({ lane: lanes[0], hello: { role: 'client', ...agent }, authority: { scopes: ['read'] }, handlers }),
      worker.answer(lanes[1]),
    ]);
    return client;
  };
  const options = { registry: here, connector, clock, random: () => 0 };
  return { here, workers: workers.map(({ swarm }) => swarm), options };
}

async function openWorkerOf(number: number): Promise<{ swarm: SwarmWorker; answer(lane: MemoryLane): Promise<Peer> }> {
  const registry = await openTestRegistry();
  const { handlersFor, close } = createHandlers({
    registry,
    fresh: new FreshModels(registry, silentLog),
    log: silentLog,
  });
  const worker = handlersFor({ scopes: ['read', 'write'] });
  const handlers: Handlers = {
    ...worker,
    get_chunks: async (params, context) => {
      swarm.askedAsShared.push(params.shared === true);
      return (await worker.get_chunks?.(params, context)) ?? {};
    },
  };
  atEnd(close);
  const { publicKey } = identityFromSeed(new Uint8Array(32).fill(100 + number));
  const swarm: SwarmWorker = {
    name: `worker-${number}`,
    registry,
    token: { ...TOKEN, workerKey: publicKey },
    online: true,
    hold: undefined,
    answers: {},
    lanes: [],
    askedAsShared: [],
    leave() {
      swarm.online = false;
      for (const lane of swarm.lanes) lane.faults.cut();
    },
  };
  const answer = (lane: MemoryLane): Promise<Peer> =>
    createPeer({
      lane,
      hello: { role: 'worker', name: swarm.name, version: '1' },
      authority: { scopes: ['read', 'write'] },
      handlers: { ...handlers, ...swarm.hold?.around(handlers), ...swarm.answers },
    });
  return { swarm, answer };
}
