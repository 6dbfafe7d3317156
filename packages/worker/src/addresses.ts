import { networkInterfaces } from 'node:os';

/** More would make tokens long; machines with more interfaces (containers, bridges) are reached by the first ones too. */
const MAX_ADDRESSES = 6;

/**
 * The URLs at which an embedded signaling server on this machine may be reached: the machine's own addresses, those that
 * other machines can use first, and loopback last, for agents on the same machine.
 *
 * @param port - the port that the server listens on.
 * @param options.ipv6 - whether it listens on IPv6 too.
 */
export function reachableUrls(port: number, { ipv6 = true, interfaces = networkInterfaces() } = {}): string[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const outside = all.filter((address) => !address.internal && !isLinkLocal(address.address));
  const ipv4 = outside.filter((address) => address.family === 'IPv4').map((address) => address.address);
  const ipv6Hosts = outside.filter((address) => address.family === 'IPv6').map((address) => `[${address.address}]`);
  return [...ipv4, ...(ipv6 ? ipv6Hosts : [])]
    .slice(0, MAX_ADDRESSES)
    .concat('127.0.0.1')
    .map((host) => `ws://${host}:${port}`);
}

/** Link-local addresses name an interface of this machine, which means nothing elsewhere. */
function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}
