import { setTimeout as sleep } from 'node:timers/promises';
import { acquireLock, FREES_ITSELF, holderText } from '@model-rtc/files';
import type { Hub } from '@model-rtc/hub';
import {
  type Backend,
  type Identity,
  MAX_TOKEN_URLS,
  ModelRtcError,
  type RunnerSummary,
  silentLog,
} from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { loadIdentity } from '@model-rtc/registry';
import { joinAsWorker, type WorkerRegistration } from '@model-rtc/signaling';
import {
  type Acceptor,
  acceptSessions,
  type DirectAddress,
  type DirectListener,
  type EngineChoice,
  type IceServer,
  listenDirect,
} from '@model-rtc/transport';
import { Cleanup } from './cleanup.ts';
import { createHandlers } from './handlers/create-handlers.ts';
import { FreshModels } from './handlers/fresh-models.ts';
import type { HandlerOptions } from './handlers/types.ts';
import { openSignaling, type SignalingOptions } from './open-signaling.ts';
import { authorize } from './sessions/authorize.ts';
import { SessionStore } from './sessions/session-store.ts';
import { keepStatusFile, type WorkerStatus, workerLockPath } from './status-file.ts';
import { type WatchFoldersOptions, watchFolders } from './watch/watch-folders.ts';
import { openWorkerJobs, type WorkerJobs, type WorkerJobsOptions } from './worker-jobs.ts';
import type { WorkerMesh } from './worker-mesh.ts';

export interface WorkerOptions extends SignalingOptions {
  readonly registry: Registry;
  /** The name that other agents see; the machine's name is a good choice. */
  readonly name: string;
  readonly version: string;
  /** Refuse pushed models with files that run code when they are loaded. */
  readonly safeOnly?: boolean | undefined;
  readonly engine?: EngineChoice | undefined;
  readonly iceServers?: readonly IceServer[] | undefined;
  /** How clients may connect to a port of this machine directly; `false` forbids it. */
  readonly direct?: DirectOptions | false | undefined;
  /** Limits on all transfers of this worker together. */
  readonly limits?: HandlerOptions['limits'];
  /** How much room the models of this machine may take; pushed ones make others go. Any when left out. */
  readonly storage?: HandlerOptions['storage'];
  /** Folders whose models are registered as they appear and change; nothing is written there. */
  readonly watch?: Pick<WatchFoldersOptions, 'folders' | 'interruptedAfterMs' | 'withoutLinks' | 'onEvent'> | undefined;
  /**
   * A hub from which models that clients push may be fetched as well, where the client agrees; from clients alone when left out. It
   * should show no access token: what it fetches, clients have asked for.
   */
  readonly hub?: Hub | undefined;
  /** How jobs are run; clients are refused them when left out. */
  readonly jobs?: WorkerJobsOptions | undefined;
  /** Fetches registered models from a hub when clients ask for it; refused when left out. */
  readonly fetchFromHub?: HandlerOptions['fetchFromHub'];
  /** What this machine can compute on, for its catalog; the CPU alone when left out. */
  readonly hardware?: (() => Promise<ReadonlySet<Backend>>) | undefined;
  /** The meshes that it takes part in; none when left out. They still belong to the caller until the worker runs, then it closes them. */
  readonly mesh?: WorkerMesh | undefined;
  /** How long the worker tries to come back to its signaling servers while none answers, in milliseconds; for ever when left out. */
  readonly maxReconnectMs?: number | undefined;
  /** The time of day, by which sessions expire. */
  readonly now?: (() => Date) | undefined;
}

export interface DirectOptions {
  /** A free one when left out. */
  readonly port?: number | undefined;
  /** Where clients reach it, instead of this machine's own addresses. */
  readonly advertise?: readonly DirectAddress[] | undefined;
}

export interface RunningWorker extends AsyncDisposable {
  readonly sessions: SessionStore;
  /** The token of the worker's default session. */
  readonly token: string;
  readonly keyId: string;
  readonly expiresAt: string | undefined;
  readonly urls: readonly string[];
  /** The port of the embedded signaling server; undefined when the worker waits at others. */
  readonly embeddedPort: number | undefined;
  /** The port for direct connections; undefined when there are none. */
  readonly directPort: number | undefined;
  /** Resolves when a signaling server knows this worker. */
  online(): Promise<void>;
  /** Why it is not online, as far as its servers said. */
  offlineReason(): ModelRtcError | undefined;
  /** What clients may run models with; empty for a worker that runs no jobs. */
  runners(): Promise<readonly RunnerSummary[]>;
  /** Resolves when the worker cannot go on, with the reason. */
  readonly ended: Promise<ModelRtcError>;
  close(): Promise<void>;
}

/**
 * Starts the worker of a machine's registry: it waits at its signaling servers and serves every client that holds one of
 * its sessions, until it is closed.
 *
 * @throws ModelRtcError `busy` when a worker of this registry runs already; `bad_argument` for an invalid URL or watched
 * folder, or when the engine does not load; `storage` when its keys cannot be read or written.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const cleanup = new Cleanup();
  try {
    return await start(options, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function start(options: WorkerOptions, cleanup: Cleanup): Promise<RunningWorker> {
  const { registry } = options;
  await lockWorker(registry, cleanup);
  const identity = await loadIdentity(registry.paths.keys);
  const sessions = new SessionStore({
    keysFolder: registry.paths.keys,
    workerKey: identity.publicKey,
    now: options.now,
  });
  await watch(options, cleanup);
  // Before the worker is announced: if the port is taken, it does not start at all.
  const direct = await openDirect(options, cleanup);
  const signaling = await openSignaling(options, sessions, cleanup);
  await sessions.rememberAddresses(signaling.tokenUrls, signaling.embeddedPort());
  const session = await sessions.defaultSession();
  const jobs = await openOwnJobs(options, sessions, cleanup);
  const { maxReconnectMs, log = silentLog } = options;
  const meshUrls = () => (options.mesh?.signalingUrls ?? []).filter((url) => !signaling.joinUrls().includes(url));
  const joinUrls = () => [...signaling.joinUrls(), ...meshUrls()].slice(0, MAX_TOKEN_URLS);
  const registration = joinAsWorker({ urls: joinUrls(), identity, log, maxReconnectMs });
  cleanup.add(() => registration.close());
  const acceptor = accept(options, { registration, identity, sessions, direct, jobs }, cleanup);
  await acceptor.ready;
  options.mesh?.start({
    ...{ urls: () => [...meshUrls(), ...signaling.currentUrls()], embeddedPort: signaling.embeddedPort, acceptor },
    signalingChanged: () => registration.setUrls(joinUrls(), signaling.ownUrl()),
    openForLan: async () => {
      await signaling.openForLan();
      registration.setUrls(joinUrls(), signaling.ownUrl());
    },
    runners: async () => (await jobs?.jobs.runners()) ?? [],
  });
  const startedAt = new Date().toISOString();
  const readStatus = (): WorkerStatus => ({
    ...{ name: options.name, version: options.version, startedAt, keyId: session.keyId },
    ...{ urls: [...signaling.tokenUrls], directPort: direct?.port, folders: [...(options.watch?.folders ?? [])] },
    signaling: registration.states().map(({ url, state, error }) => ({ url, state, reason: error?.message })),
    clients: acceptor.peers().map(({ remote, lanes }) => ({ name: remote.agent.name, lanes: [...lanes] })),
    data: jobs?.dataUsage(),
  });
  cleanup.add(keepStatusFile(registry.paths.root, readStatus, log));
  return {
    sessions,
    token: sessions.token(session, signaling.tokenUrls),
    keyId: session.keyId,
    expiresAt: session.expiresAt,
    urls: signaling.tokenUrls,
    embeddedPort: signaling.embeddedPort(),
    directPort: direct?.port,
    online: () => registration.whenOnline(),
    offlineReason: () => registration.states().find(({ error }) => error !== undefined)?.error,
    runners: async () => (await jobs?.jobs.runners()) ?? [],
    ended: Promise.race([registration.replaced.then(replacedError), registration.lost]),
    close: () => cleanup.run(),
    [Symbol.asyncDispose]: () => cleanup.run(),
  };
}

/** The longest that a start waits for the first look at a large or slow disk. */
const FIRST_LOOK_MS = 5_000;

/** Runs before anyone connects, so that the first list has the models that are there; only hashing continues. */
async function watch({ registry, watch: wanted, log }: WorkerOptions, cleanup: Cleanup): Promise<void> {
  const watched = await watchFolders({ folders: [], ...wanted, registry, log });
  cleanup.add(() => watched.close());
  await Promise.race([watched.looked, sleep(FIRST_LOOK_MS, undefined, { ref: false })]);
}

/** Two workers of one registry would keep replacing each other at the signaling server. */
async function lockWorker(registry: Registry, cleanup: Cleanup): Promise<void> {
  try {
    const lock = await acquireLock(workerLockPath(registry.paths.root), { waitMs: 0 });
    cleanup.add(() => lock.release());
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code !== 'busy') throw known;
    throw runningAlready(registry.paths.root, known);
  }
}

function runningAlready(root: string, busy: ModelRtcError): ModelRtcError {
  const { pid, host, takenAt, isUnseen } = busy.details ?? {};
  const owner =
    typeof pid === 'number' ? { pid, host: String(host), takenAt: takenAt as string | undefined } : undefined;
  const sentence = `A worker for ${root} is already running: ${holderText(owner)}. Stop it first, or set MODEL_RTC_HOME to another folder.`;
  return new ModelRtcError('busy', isUnseen === true ? `${sentence} ${FREES_ITSELF}` : sentence, {
    cause: busy,
    details: busy.details,
  });
}

/** @throws ModelRtcError `network` when the port that a person asked for is taken. */
async function openDirect({ direct = {}, log }: WorkerOptions, cleanup: Cleanup): Promise<DirectListener | undefined> {
  if (direct === false) return undefined;
  const listener = await listenDirect({ ...direct, log });
  cleanup.add(() => listener.close());
  return listener;
}

async function openOwnJobs(
  { registry, jobs, limits, log = silentLog, now }: WorkerOptions,
  sessions: SessionStore,
  cleanup: Cleanup,
): Promise<WorkerJobs | undefined> {
  if (jobs === undefined) return undefined;
  const opened = await openWorkerJobs({ ...jobs, registry, sessions, transferLimits: limits, log, now });
  // Behind the peers: a worker that stops tells its clients before it ends their jobs.
  cleanup.add(() => opened.close());
  return opened;
}

interface AcceptParts {
  readonly registration: WorkerRegistration;
  readonly identity: Identity;
  readonly sessions: SessionStore;
  readonly direct: DirectListener | undefined;
  readonly jobs: WorkerJobs | undefined;
}

function accept(options: WorkerOptions, parts: AcceptParts, cleanup: Cleanup): Acceptor {
  const { registration, identity, sessions, direct, jobs } = parts;
  const { registry, safeOnly, limits, hub, mesh, log = silentLog } = options;
  const { handlersFor, close } = createHandlers({
    registry,
    fresh: new FreshModels(registry, log),
    log,
    safeOnly,
    limits,
    storage: options.storage,
    hub,
    jobs,
    hardware: options.hardware,
    fetchFromHub: options.fetchFromHub,
  });
  cleanup.add(close);
  const acceptor = acceptSessions({
    registration,
    identity,
    engine: options.engine ?? 'auto',
    iceServers: options.iceServers ?? [],
    direct,
    agent: {
      name: options.name,
      version: options.version,
      capabilities: ['catalog', ...(jobs === undefined ? [] : ['jobs'])],
    },
    authorize: (keyId) => authorize(sessions, keyId) ?? mesh?.authorize(keyId),
    handlers: (authority) => mesh?.handlers(authority, handlersFor(authority)) ?? handlersFor(authority),
    sealedHandlers: (authority) => mesh?.sealedHandlers(authority) ?? {},
    onPeer: (peer, authority) => mesh?.connected(peer, authority),
    log,
  });
  // Before waiting for the handlers, which end when their clients are gone.
  cleanup.add(() => acceptor.close());
  // First of all: members are told over connections that are still open.
  if (mesh !== undefined) cleanup.add(() => mesh.close());
  return acceptor;
}

function replacedError(): ModelRtcError {
  return new ModelRtcError(
    'busy',
    'Another worker with the same identity key replaced this one at the signaling server. Stop one of them: a copied data folder must not run twice.',
  );
}
