import { hostname } from 'node:os';
import { type Clock, parseSessionToken, type SessionToken, silentLog, systemClock } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { shortOrigin } from '@model-rtc/transfer';
import { type ConnectToSessionOptions, connectToSession } from '@model-rtc/transport';
import { ChunkOffers } from './chunk-offers.ts';
import type { RemoteWorker } from './remote-worker.ts';
import { type Connector, SessionLink } from './session-link.ts';
import type { AgentLimits } from './transfer-speed.ts';
import { WorkerProvider } from './worker-provider.ts';

/** How a client reaches one worker: what is not named here is as `connectToSession` of @model-rtc/transport has it. */
export interface ConnectOptions
  extends Omit<ConnectToSessionOptions, 'token' | 'agent' | 'handlers' | 'waitForWorker' | 'clock' | 'now'> {
  /** A session token, as text or parsed. */
  readonly session: string | SessionToken;
  /** What the worker is called until it says its own name; `worker` and the start of its key when left out. */
  readonly name?: string | undefined;
  /** This machine's registry: where pulled models go and pushed ones come from. */
  readonly registry: Registry;
  /** What the worker sees this client as. */
  readonly agentName?: string | undefined;
  readonly agentVersion?: string | undefined;
  /** How a connection is brought up; `connectToSession` when left out. */
  readonly connector?: Connector | undefined;
  readonly clock?: Clock | undefined;
  /** From 0 to below 1: spreads the attempts of many clients to connect again. */
  readonly random?: (() => number) | undefined;
  /** What all transfers of this agent share; nothing holds them back when left out. */
  readonly limits?: AgentLimits | undefined;
}

/** A worker with the way to it, which is gone only when it is first needed. */
export interface OpenWorker {
  readonly services: RemoteWorker;
  close(): Promise<void>;
}

/** This client takes chunks from a worker that is itself still fetching the model. */
const CAPABILITIES = ['partial'];

export function openWorker(options: ConnectOptions): OpenWorker {
  const {
    registry,
    session,
    limits = {},
    name: _name,
    signal: _,
    clock = systemClock,
    random = Math.random,
    ...network
  } = options;
  const { agentName = hostname(), agentVersion = 'unknown', connector = connectToSession, ...rest } = network;
  const { log = silentLog } = options;
  const token = typeof session === 'string' ? parseSessionToken(session) : session;
  const key = Buffer.from(token.workerKey).toString('hex');
  const known = { key, name: options.name ?? `worker ${shortOrigin(key)}` };
  const offers = new ChunkOffers(registry);
  const link = new SessionLink({
    ...rest,
    connector: async (how) => {
      const peer = await connector(how);
      known.name = peer.remote.agent.name;
      return peer;
    },
    token,
    agent: { name: agentName, version: agentVersion, capabilities: CAPABILITIES },
    handlers: offers.handlers,
  });
  const provider = new WorkerProvider({ registry, known, link, log });
  const services: RemoteWorker = { registry, known, link, offers, log, clock, random, limits, provider };
  return { services, close: () => link.close() };
}
