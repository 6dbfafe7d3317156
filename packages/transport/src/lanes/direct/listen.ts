import { createServer, type Server } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type Clock, type Log, ModelRtcError, silentLog, systemClock } from '@model-rtc/protocol';

import type { DirectListener, DirectOffer } from '../../core/connect/components.ts';
import { createCertificate } from './certificate.ts';
import { ExpectedLanes } from './expected-lanes.ts';
import { EXPECT_TIMEOUT_MS, MAX_OFFERED_ADDRESSES } from './limits.ts';
import { machineAddresses } from './machine-addresses.ts';
import { TLS_OPTIONS } from './tls-stream.ts';
import { UnauthenticatedConnections } from './unauthenticated-connections.ts';

export type DirectAddress = DirectOffer['addresses'][number];

export interface ListenDirectOptions {
  /** A free one when it is 0 or left out. */
  readonly port?: number | undefined;
  /** Where clients reach this machine, in place of its own addresses: behind a router or in a container. */
  readonly advertise?: readonly DirectAddress[] | undefined;
  readonly log?: Log | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Listens for direct lanes on all interfaces, IPv4 and IPv6, with a TLS certificate made for this listener alone.
 *
 * @throws ModelRtcError `network` when the port is taken or may not be listened on
 */
export async function listenDirect(options: ListenDirectOptions = {}): Promise<DirectListener> {
  const { port = 0, advertise, log = silentLog, clock = systemClock } = options;
  const certificate = createCertificate();
  const secureContext = createSecureContext({
    key: certificate.privateKeyPem,
    cert: certificate.certificatePem,
    ...TLS_OPTIONS,
  });
  const expected = new ExpectedLanes(clock);
  const unauthenticated = new UnauthenticatedConnections({ expected, secureContext, clock });
  const { server, ...listening } = await listenEverywhere(port);
  let isClosed = false;
  server.on('connection', (connection) => unauthenticated.admit(connection));
  server.on('error', (error) => log.warn({ error: error.message }, 'a direct connection could not be accepted'));
  return {
    port: listening.port,
    expect(lane, { signal, timeoutMs = EXPECT_TIMEOUT_MS } = {}) {
      if (isClosed) throw closedError();
      const { token, lane: arrived } = expected.add({ signal, timeoutMs });
      const addresses = [...(advertise ?? ownAddresses(listening))];
      return {
        offer: { type: 'direct_offer', lane, addresses, certificate: certificate.digest, token },
        lane: arrived,
      };
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      // Do not wait for its callback: that comes only when all lanes have ended.
      server.close();
      expected.end(closedError());
      unauthenticated.end();
    },
  };
}

interface Listening {
  readonly server: Server;
  readonly port: number;
  readonly ipv6: boolean;
}

async function listenEverywhere(port: number): Promise<Listening> {
  try {
    return await listenAt('::', port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A machine without IPv6 says so by one of these.
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw listenError(error, port);
  }
  try {
    return await listenAt('0.0.0.0', port);
  } catch (error) {
    throw listenError(error, port);
  }
}

async function listenAt(host: '::' | '0.0.0.0', port: number): Promise<Listening> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return { server, port: address.port, ipv6: host === '::' };
}

/** Asked for with each offer, since networks come and go. Loopback is last: both agents may be on one machine. */
function ownAddresses({ port, ipv6 }: Omit<Listening, 'server'>): DirectAddress[] {
  const hosts = [...machineAddresses({ most: MAX_OFFERED_ADDRESSES, ipv6 }), '127.0.0.1', ...(ipv6 ? ['::1'] : [])];
  return hosts.map((host) => ({ host, port }));
}

function listenError(cause: unknown, port: number): ModelRtcError {
  const { code } = cause as NodeJS.ErrnoException;
  const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`;
  return new ModelRtcError(
    'network',
    `Port ${port} ${why}. Pass another port for direct connections, or 0 for any free one.`,
    { cause, details: { port } },
  );
}

function closedError(): ModelRtcError {
  return new ModelRtcError('network', 'This worker no longer takes direct connections: it is shutting down.');
}
