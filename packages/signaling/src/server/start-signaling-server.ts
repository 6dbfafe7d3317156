import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { type Log, ModelRtcError, silentLog } from '@model-rtc/protocol';
import { DEFAULT_LIMITS, type RelayLimits, SHUTDOWN_GRACE_MS, type SignalingLimits } from '../limits.ts';
import { admitSockets } from './admit-sockets.ts';
import { ConnectionHub } from './connection-hub.ts';
import { createHostCheck } from './own-hosts.ts';
import { createRelay } from './relay/relay-hub.ts';

export interface SignalingServerOptions {
  /** The address to listen on: `127.0.0.1`, or `0.0.0.0` or `::` for all. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly limits?: Partial<SignalingLimits> | undefined;
  readonly log?: Log | undefined;
  /**
   * Names that lead to this server through DNS, a proxy or a NAT, each with or without a port. A worker may dial the server
   * by its addresses, by `localhost`, by this machine's name, and by these; any other name is refused, since a signature
   * for it may be meant for another server. `*` takes any name, which gives that protection up.
   */
  readonly publicHosts?: readonly string[] | undefined;
  /**
   * Whether a worker may sign for no name in particular, as one does that uses a single server; true when left out. A server of a worker
   * that waits at another one too takes no such signature: the other one could have got it.
   */
  readonly takesAnyHost?: boolean | undefined;
  /** Bounds of the relay, which is on unless this is `off`. */
  readonly relay?: 'off' | Partial<RelayLimits> | undefined;
}

export interface SignalingServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** How many connections and rooms are open, and how many meetings at the relay. */
  counts(): { readonly connections: number; readonly rooms: number; readonly meetings: number };
  /** Tells everyone, then ends every connection; the port is free when it resolves. Further calls wait for the same. */
  close(): Promise<void>;
}

/**
 * Starts the server at which workers wait and visitors find them. It passes opaque bytes between the two and keeps nothing.
 *
 * @throws ModelRtcError `network` when it cannot listen there (its cause has the system's code, such as EADDRINUSE);
 *   `bad_argument` for an invalid public host, or a relay rate that is too low for a lane.
 */
export async function startSignalingServer(options: SignalingServerOptions): Promise<SignalingServer> {
  const log = options.log ?? silentLog;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const isOwnHost = createHostCheck({
    ...{ publicHosts: options.publicHosts ?? [], machineName: hostname(), takesAnyHost: options.takesAnyHost },
  });
  const nowMs = () => performance.now();
  const hub = new ConnectionHub({ limits, log, isOwnHost, randomBytes, nowMs });
  const relay = createRelay(options.relay, { staleMs: limits.staleMs, log, nowMs });
  const sockets = admitSockets({ limits, onSocket: (socket, tcp) => hub.add(socket, tcp), relay });
  await listen(sockets.http, options);
  const heartbeat = setInterval(() => {
    hub.heartbeat();
    relay?.heartbeat();
  }, limits.pingIntervalMs);
  const { address: host, port } = sockets.http.address() as AddressInfo;
  log.info({ host, port }, 'signaling server listens');

  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= shutDown();
    return closing;
  };
  async function shutDown(): Promise<void> {
    clearInterval(heartbeat);
    const closed = once(sockets.http, 'close');
    sockets.http.close();
    hub.shutDown();
    relay?.shutDown();
    const grace = setTimeout(() => sockets.destroySockets(), SHUTDOWN_GRACE_MS);
    sockets.http.closeIdleConnections();
    await closed;
    clearTimeout(grace);
    log.info({ host, port }, 'signaling server closed');
  }
  const counts = () => ({ ...hub.counts(), meetings: relay?.meetings ?? 0 });
  return { host, port, counts, close, [Symbol.asyncDispose]: close };
}

async function listen(http: Server, { host, port }: SignalingServerOptions): Promise<void> {
  try {
    http.listen(port, host);
    await once(http, 'listening');
  } catch (error) {
    throw listenError(error, host, port);
  }
}

function listenError(cause: unknown, host: string, port: number): ModelRtcError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const problems: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} of ${host} is in use. Stop the program that uses it, or choose another port.`,
    EACCES: `Port ${port} needs more rights than this user has. Choose one above 1023.`,
    EADDRNOTAVAIL: `${host} is not an address of this machine. Choose one of its own, or 0.0.0.0 for all.`,
  };
  const other = `The signaling server cannot listen on ${host}, port ${port}; choose another address or port.`;
  return new ModelRtcError('network', problems[code] ?? other, { cause });
}
