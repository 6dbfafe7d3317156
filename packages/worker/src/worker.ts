import { join } from 'node:path';
import { type Identity, type Log, ModelRtcError, silentLog } from '@model-rtc/protocol';
import { acquireLock, type Registry } from '@model-rtc/registry';
import { joinAsWorker, type SignalingServer, startSignalingServer, type WorkerPost } from '@model-rtc/signaling';
import { type Acceptor, type Authority, acceptSessions, type EngineChoice, type IceServer } from '@model-rtc/transport';
import { reachableUrls } from './addresses.ts';
import { Cleanup } from './cleanup.ts';
import { createHandlers } from './handlers/create-handlers.ts';
import { FreshModels } from './handlers/fresh-models.ts';
import { loadIdentity } from './identity-store.ts';
import { SessionStore } from './sessions/session-store.ts';

export interface WorkerOptions {
  readonly registry: Registry;
  /** What other agents see this worker as; its machine's name is a good one. */
  readonly name: string;
  readonly version: string;
  /** Signaling servers to wait at. Without any, one is started in this process. */
  readonly signalingUrls?: readonly string[] | undefined;
  /** The embedded server's port: the one of last time, else this, else a free one. */
  readonly preferredPort?: number | undefined;
  readonly engine?: EngineChoice | undefined;
  readonly iceServers?: readonly IceServer[] | undefined;
  readonly log?: Log | undefined;
  readonly clock?: (() => Date) | undefined;
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
  /** Resolves when a signaling server knows this worker. */
  online(): Promise<void>;
  /** Why it is not online, as far as its servers said. */
  offlineReason(): ModelRtcError | undefined;
  /** Resolves when the worker cannot go on, with the reason. */
  readonly ended: Promise<ModelRtcError>;
  close(): Promise<void>;
}

/** The port of the embedded signaling server, unless it is taken. */
export const DEFAULT_SIGNALING_PORT = 8787;

/**
 * Starts the worker of a machine's registry: it waits at its signaling servers and serves every client that holds one of
 * its sessions, until it is closed.
 *
 * @throws ModelRtcError `busy` when a worker of this registry runs already.
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
    clock: options.clock,
  });
  const signaling = await openSignaling(options, sessions, cleanup);
  await sessions.rememberAddresses(signaling.tokenUrls, signaling.embeddedPort);
  const session = await sessions.defaultSession();
  const post = joinAsWorker({ urls: signaling.joinUrls, identity, log: options.log ?? silentLog });
  cleanup.add(() => post.close());
  const acceptor = accept(options, { post, identity, sessions });
  cleanup.add(() => acceptor.close());
  await acceptor.ready;
  return {
    sessions,
    token: sessions.token(session, signaling.tokenUrls),
    keyId: session.keyId,
    expiresAt: session.expiresAt,
    urls: signaling.tokenUrls,
    embeddedPort: signaling.embeddedPort,
    online: () => post.whenOnline(),
    offlineReason: () => post.states().find(({ error }) => error !== undefined)?.error,
    ended: post.replaced.then(replacedError),
    close: () => cleanup.run(),
    [Symbol.asyncDispose]: () => cleanup.run(),
  };
}

/** Two workers of one registry would take each other's place at the signaling server for ever. */
async function lockWorker(registry: Registry, cleanup: Cleanup): Promise<void> {
  try {
    const lock = await acquireLock(join(registry.paths.root, 'worker.lock'), { waitMs: 0 });
    cleanup.add(() => lock.release());
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code !== 'busy') throw known;
    throw ModelRtcError.because(
      error,
      'busy',
      `A worker of ${registry.paths.root} is running already. Stop it first, or set MODEL_RTC_HOME to another folder.`,
    );
  }
}

interface Signaling {
  /** Where this process waits, and where clients reach it: an embedded server is joined over loopback alone. */
  readonly joinUrls: readonly string[];
  readonly tokenUrls: readonly string[];
  readonly embeddedPort: number | undefined;
}

async function openSignaling(options: WorkerOptions, sessions: SessionStore, cleanup: Cleanup): Promise<Signaling> {
  const given = options.signalingUrls ?? [];
  if (given.length > 0) return { joinUrls: given, tokenUrls: given, embeddedPort: undefined };
  const server = await startEmbedded(options, sessions.embeddedPort());
  cleanup.add(() => server.close());
  return {
    joinUrls: [`ws://127.0.0.1:${server.port}`],
    tokenUrls: reachableUrls(server.port, { ipv6: server.host === '::' }),
    embeddedPort: server.port,
  };
}

/** All interfaces, of both address families where the machine has both. */
const EVERYWHERE = ['::', '0.0.0.0'] as const;

/** The port of last time keeps issued tokens true; a taken one only costs them their address, so a free one will do. */
async function startEmbedded(options: WorkerOptions, lastPort: number | undefined): Promise<SignalingServer> {
  const { log = silentLog, preferredPort = DEFAULT_SIGNALING_PORT } = options;
  const ports = new Set([lastPort ?? preferredPort, preferredPort, 0]);
  for (const port of ports) {
    const server = await listenEverywhere(port, log);
    if (server === undefined) continue;
    if (lastPort !== undefined && server.port !== lastPort) {
      log.warn(
        { lastPort, port: server.port },
        `port ${lastPort} is taken: sessions given out before hold an address that no longer answers`,
      );
    }
    return server;
  }
  throw new ModelRtcError(
    'network',
    'No port is free for the signaling server. Give --signaling URL to use another one.',
  );
}

/** @returns undefined when the port is taken, or may not be listened on. */
async function listenEverywhere(port: number, log: Log): Promise<SignalingServer | undefined> {
  for (const host of EVERYWHERE) {
    try {
      return await startSignalingServer({ host, port, log });
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' || code === 'EACCES') return undefined;
      // A machine without IPv6 says so by one of these.
      if (host === '0.0.0.0' || (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL')) throw error;
    }
  }
  return undefined;
}

function accept(
  options: WorkerOptions,
  { post, identity, sessions }: { post: WorkerPost; identity: Identity; sessions: SessionStore },
): Acceptor {
  const log = options.log ?? silentLog;
  const handlers = createHandlers({ registry: options.registry, fresh: new FreshModels(options.registry, log), log });
  return acceptSessions({
    post,
    identity,
    engine: options.engine ?? 'auto',
    iceServers: options.iceServers ?? [],
    agent: { name: options.name, version: options.version },
    authorize: (keyId) => authorize(sessions, keyId),
    handlers: () => handlers,
    log,
  });
}

/** What a session's token allows now. A revoked or expired one is known still, so that its holder can be told why. */
function authorize(sessions: SessionStore, keyId: string): { secret: Uint8Array; authority: Authority } | undefined {
  const record = sessions.find(keyId);
  if (record === undefined) return undefined;
  const authority: Authority = {
    scopes: record.scopes,
    keyId,
    check: () => void sessions.assertUsable(keyId),
  };
  return { secret: new Uint8Array(Buffer.from(record.secret, 'hex')), authority };
}

function replacedError(): ModelRtcError {
  return new ModelRtcError(
    'busy',
    'Another worker with the same identity key took this place at the signaling server. Stop one of them: a copied data folder must not run twice.',
  );
}
