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

/** What of these is of use to other machines. An address of this machine does for agents on it too; loopback is kept where there is no other. */
export function urlsForOthers(urls: readonly string[]): string[] {
  const others = urls.filter((url) => !isLoopback(new URL(url).hostname));
  return others.length > 0 ? others : [...urls];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host);
}
