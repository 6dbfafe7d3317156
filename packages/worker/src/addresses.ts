import { isIPv6 } from 'node:net';
import type { networkInterfaces } from 'node:os';
import { machineAddresses } from '@model-rtc/transport';

/** More would make tokens long, and a machine with more interfaces (containers, bridges) can be reached at the first ones. */
const MAX_ADDRESSES = 6;

/**
 * The URLs at which an embedded signaling server on this machine may be reached: the machine's own addresses, those that
 * other machines can use first, and loopback last, for agents on the same machine.
 *
 * @param port - the port that the server listens on.
 * @param options.ipv6 - whether it listens on IPv6 too.
 */
export function reachableUrls(
  port: number,
  options: { readonly ipv6?: boolean; readonly interfaces?: ReturnType<typeof networkInterfaces> } = {},
): string[] {
  return [...machineAddresses({ most: MAX_ADDRESSES, ...options }), '127.0.0.1'].map(
    (host) => `ws://${isIPv6(host) ? `[${host}]` : host}:${port}`,
  );
}
