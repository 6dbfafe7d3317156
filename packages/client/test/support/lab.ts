import { createCipheriv } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hub } from '@model-rtc/hub';
import {
  type Alias,
  type Clock,
  type Digest,
  identityFromSeed,
  type SessionToken,
  systemClock,
} from '@model-rtc/protocol';
import type { ImportOptions, Registry, RegistryEntry } from '@model-rtc/registry';
import {
  type Authority,
  createMemoryLanes,
  createPeer,
  type Handlers,
  type MemoryLane,
  type Peer,
} from '@model-rtc/transport';
import { createHandlers, FreshModels, type HandlerOptions } from '@model-rtc/worker';
import { afterTest as atEnd } from '../../../../test/support/after-test.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { openTestRegistry } from '../../../../test/support/test-registry.ts';
import {
  type ConnectOptions,
  type Connector,
  connect,
  connectAll,
  type RemoteWorker,
  type WorkerConnection,
} from '../../src/index.ts';

export { atEnd, openTestRegistry, temporaryFolder };

/** Bytes that look random and are the same for the same seed. */
export function seededBytes(size: number, seed: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, `seed ${seed}`), Buffer.alloc(16)).update(Buffer.alloc(size));
}

export type TestModel = RegistryEntry & { readonly digest: Digest; readonly original: string };

export async function importBytes(
  registry: Registry,
  bytes: Uint8Array,
  {
    alias,
    copy = true,
    ...said
  }: { alias?: string; copy?: boolean } & Pick<ImportOptions, 'name' | 'tags' | 'notes'> = {},
): Promise<TestModel> {
  const original = join(await temporaryFolder(), 'weights.pt');
  await writeFile(original, bytes);
  const { entry } = await registry.importModel(original, { alias: alias as Alias | undefined, copy, ...said });
  return { ...entry, digest: entry.digest as Digest, original };
}

export const TOKEN: SessionToken = {
  urls: ['ws://127.0.0.1:1'],
  workerKey: identityFromSeed(new Uint8Array(32).fill(7)).publicKey,
  keyId: new Uint8Array(8).fill(1),
  secret: new Uint8Array(16).fill(2),
  scopes: ['read', 'write'],
  expiresAt: undefined,
};

/** Waiting takes no time here, and is noted. */
export class HurriedClock implements Clock {
  readonly waits: number[] = [];
  #passedMs = 0;

  nowMs(): number {
    return performance.now() + this.#passedMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    this.waits.push(delayMs);
    this.#passedMs += delayMs;
    const timer = setImmediate(callback);
    return () => clearImmediate(timer);
  }

  every(intervalMs: number, callback: () => void): () => void {
    return systemClock.every(intervalMs, callback);
  }
}

/** One connection that the client made. */
export interface Connection {
  /** What the client sends over, and what the worker does. */
  readonly lanes: readonly [client: MemoryLane, worker: MemoryLane];
  readonly worker: Peer;
}

export interface LabOptions {
  /** In place of what a worker answers. */
  readonly handlers?: Handlers;
  readonly authority?: Authority;
  /** What the worker's hello names; that it runs jobs when left out. */
  readonly capabilities?: readonly string[];
  /** What the worker runs jobs with. */
  readonly jobs?: (there: Registry) => Promise<HandlerOptions['jobs']>;
  /** A worker that takes no pushed model with files that run code. */
  readonly safeOnly?: boolean;
  /** Where the worker may fetch pushed models from as well. */
  readonly hub?: Hub;
  /** Holds back chunks of the worker. */
  readonly hold?: ChunkHold;
  /** Holds back chunks of the client. */
  readonly clientHold?: ChunkHold;
  /** Called with each connection before anything is asked over it; what it throws is why connecting fails. */
  readonly onConnection?: (connection: Connection, number: number) => void;
  readonly connect?: Partial<ConnectOptions>;
}

/** A worker and a client in this process, each with a registry of its own, and memory lanes between them. */
export interface Lab {
  readonly here: Registry;
  readonly there: Registry;
  readonly clock: HurriedClock;
  readonly connections: Connection[];
  readonly client: WorkerConnection;
  /** The worker as the client's own parts use it, over connections of its own. */
  worker(): RemoteWorker;
  /** A bare connection to the worker. */
  peer(): Promise<Peer>;
  /** Another client with the registry given. */
  connect(registry: Registry, more?: Partial<ConnectOptions>): Promise<WorkerConnection>;
}

export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const { authority = { scopes: ['read', 'write'] }, onConnection } = options;
  const [here, there] = [await openTestRegistry(), await openTestRegistry()];
  const log = { debug() {}, info() {}, warn() {} };
  const { handlersFor, close } = createHandlers({
    ...{ registry: there, fresh: new FreshModels(there, log), log },
    safeOnly: options.safeOnly,
    hub: options.hub,
    jobs: await options.jobs?.(there),
  });
  const handlers = handlersFor(authority);
  atEnd(close);
  const connections: Connection[] = [];
  const connector: Connector = async ({ handlers: clientHandlers = {}, signal }) => {
    signal?.throwIfAborted();
    const lanes = createMemoryLanes();
    const [client, worker] = await Promise.all([
      createPeer({
        lane: lanes[0],
        hello: { role: 'client', name: 'laptop', version: '1' },
        authority: { scopes: ['read'] },
        handlers: { ...clientHandlers, ...options.clientHold?.around(clientHandlers) },
      }),
      createPeer({
        lane: lanes[1],
        hello: { role: 'worker', name: 'gpu-box', version: '1', capabilities: options.capabilities ?? ['jobs'] },
        authority,
        handlers: { ...handlers, ...options.hold?.around(handlers), ...options.handlers },
      }),
    ]);
    const connection = { lanes, worker };
    connections.push(connection);
    try {
      onConnection?.(connection, connections.length);
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  };
  const clock = new HurriedClock();
  const connectAs = async (registry: Registry, more: Partial<ConnectOptions> = {}): Promise<WorkerConnection> => {
    const connection = await connect({
      session: TOKEN,
      registry,
      connector,
      clock,
      random: () => 0,
      ...options.connect,
      ...more,
    });
    atEnd(() => connection.close());
    return connection;
  };
  const worker = (): RemoteWorker => {
    const group = connectAll({ sessions: [{ session: TOKEN }], registry: here, connector, clock, random: () => 0 });
    atEnd(() => group.close());
    return group.workers[0] as RemoteWorker;
  };
  const peer = async (): Promise<Peer> => {
    const made = await connector({ token: TOKEN, agent: { name: 'laptop', version: '1' } });
    atEnd(() => made.close());
    return made;
  };
  return { here, there, clock, connections, client: await connectAs(here), worker, peer, connect: connectAs };
}

/** Does something to the lane once so many bytes of chunks went over it from this end. */
export function afterChunkBytes(lane: MemoryLane, bytes: number, act: () => void): void {
  let sent = 0;
  lane.faults.damage((message) => {
    // The first byte of a frame.
    if (message[0] === 0xc1) sent += message.length;
    if (sent < bytes) return message;
    act();
    return undefined;
  });
}

export function cutAfter(lane: MemoryLane, bytes: number): void {
  afterChunkBytes(lane, bytes, () => lane.faults.cut());
}

/** Lets so many chunks through, and the others once it is released or their request is cancelled. */
export class ChunkHold {
  readonly #released = gate();
  #left: number;

  constructor(chunks: number) {
    this.#left = chunks;
  }

  release(): void {
    this.#released.open();
  }

  around({ get_chunks: serve }: Handlers): Handlers {
    return {
      get_chunks: async (params, context) => {
        const { peer, lane, signal } = context;
        const sendChunk: typeof context.sendChunk = async (index, bytes, sent) => {
          if (--this.#left < 0) await Promise.race([this.#released.opened, aborted(signal)]);
          await context.sendChunk(index, bytes, sent);
        };
        return (await serve?.(params, { peer, lane, signal, emit: (event) => context.emit(event), sendChunk })) ?? {};
      },
    };
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
  readonly details?: Record<string, unknown>;
}

export async function failure(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    return error as Failure;
  }
  throw new Error('it did not fail');
}

/** A promise, and what resolves it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
