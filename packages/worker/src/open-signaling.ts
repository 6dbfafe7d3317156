import { type Log, ModelRtcError, silentLog } from '@model-rtc/protocol';
import { type SignalingServer, type SignalingServerOptions, startSignalingServer } from '@model-rtc/signaling';
import { reachableUrls, urlsForOthers } from './addresses.ts';
import type { Cleanup } from './cleanup.ts';
import type { SessionStore } from './sessions/session-store.ts';

/** The port of the embedded signaling server, unless it is taken. */
const DEFAULT_SIGNALING_PORT = 8787;

export interface SignalingOptions {
  /** Signaling servers to wait at. Without any, one is started in this process. */
  readonly signalingUrls?: readonly string[] | undefined;
  /** The embedded server's port. Without it, or when it is taken: the one of last time, else 8787, else a free one. */
  readonly preferredPort?: number | undefined;
  readonly log?: Log | undefined;
}

/** The signaling servers that a worker waits at. */
export interface Signaling {
  /** Where clients reach it. */
  readonly tokenUrls: readonly string[];
  /** Where this process registers now: it joins an embedded server over loopback. */
  joinUrls(): readonly string[];
  /** The embedded server where there are others too: `JoinOptions.ownUrl`. */
  ownUrl(): string | undefined;
  /** Where others reach it, as the machine's networks are now. */
  currentUrls(): readonly string[];
  embeddedPort(): number | undefined;
  /** Starts a server in this process for machines on the local network, unless there is one. @throws ModelRtcError `network` */
  openForLan(): Promise<void>;
}

/** The servers that are given; without any, one in this process. @throws ModelRtcError `network` when no port is free */
export async function openSignaling(
  options: SignalingOptions,
  sessions: Pick<SessionStore, 'embeddedPort'>,
  cleanup: Cleanup,
): Promise<Signaling> {
  const given = options.signalingUrls ?? [];
  let embedded: SignalingServer | undefined;
  const open = async (lastPort: number | undefined) => {
    embedded = await startEmbedded(options, lastPort, { takesAnyHost: given.length === 0 });
  };
  // Even if it starts later, it ends behind all that is added from here on.
  cleanup.add(async () => await embedded?.close());
  if (given.length === 0) await open(sessions.embeddedPort());
  const ownUrl = () => (embedded === undefined ? [] : [`ws://127.0.0.1:${embedded.port}`]);
  const reachable = () =>
    embedded === undefined ? [] : reachableUrls(embedded.port, { ipv6: embedded.host === '::' });
  return {
    tokenUrls: given.length === 0 ? reachable() : given,
    joinUrls: () => [...given, ...ownUrl()],
    ownUrl: () => (given.length === 0 ? undefined : ownUrl()[0]),
    currentUrls: () => [...given, ...urlsForOthers(reachable())],
    embeddedPort: () => embedded?.port,
    openForLan: async () => {
      if (embedded === undefined) await open(undefined);
    },
  };
}

/** All interfaces, of both address families if the machine has both. */
const EVERYWHERE = ['::', '0.0.0.0'] as const;

/** Prefers the last port, so that issued tokens stay valid. When it is taken, any free port will do. */
async function startEmbedded(
  { log = silentLog, preferredPort }: SignalingOptions,
  lastPort: number | undefined,
  kind: Pick<SignalingServerOptions, 'takesAnyHost'>,
): Promise<SignalingServer> {
  // 0 means any free port.
  const wanted = [preferredPort || undefined, lastPort, DEFAULT_SIGNALING_PORT, 0];
  for (const port of new Set(wanted.filter((port) => port !== undefined))) {
    const server = await listenEverywhere(port, { ...kind, log });
    if (server === undefined) continue;
    if (lastPort !== undefined && server.port !== lastPort) {
      log.warn(
        { lastPort, port: server.port },
        `the worker's own signaling server now listens on port ${server.port}: sessions issued earlier name port ${lastPort} and no longer work`,
      );
    }
    return server;
  }
  throw new ModelRtcError(
    'network',
    'No port is free for the signaling server. Pass --signaling URL to use another server.',
  );
}

/** @returns undefined when the port is taken, or may not be listened on. */
async function listenEverywhere(
  port: number,
  options: Pick<SignalingServerOptions, 'takesAnyHost' | 'log'>,
): Promise<SignalingServer | undefined> {
  for (const host of EVERYWHERE) {
    try {
      return await startSignalingServer({ ...options, host, port });
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' || code === 'EACCES') return undefined;
      // A machine without IPv6 says so by one of these.
      if (host === '0.0.0.0' || (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL')) throw error;
    }
  }
  return undefined;
}
