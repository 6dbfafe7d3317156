import { networkInterfaces } from 'node:os';
import type { LanInterface } from './types.ts';

/** Interfaces of one machine that are used: containers and virtual machines can bring hundreds. */
const MAX_INTERFACES = 16;

/**
 * The interfaces of this machine that lead to others. Multicast goes out over IPv4 where an interface has it, else over IPv6. Loopback
 * counts as one when there is no other: two nodes on one machine find each other.
 */
export function lanInterfaces(all: ReturnType<typeof networkInterfaces> = networkInterfaces()): LanInterface[] {
  const named = Object.entries(all).map(([name, addresses = []]) => ({ name, addresses }));
  const outside = named.filter(({ addresses }) => addresses.some(({ internal }) => !internal));
  const used = outside.length > 0 ? outside : named;
  return used.flatMap(({ name, addresses }) => lanInterface(name, addresses) ?? []).slice(0, MAX_INTERFACES);
}

type Addresses = NonNullable<ReturnType<typeof networkInterfaces>[string]>;

function lanInterface(name: string, addresses: Addresses): LanInterface | undefined {
  const ofFamily = (family: string) => addresses.filter((one) => one.family === family).map(({ address }) => address);
  const ipv4 = ofFamily('IPv4');
  const ipv6 = ofFamily('IPv6').filter((address) => !/^fe[89ab]/i.test(address));
  const family = ipv4.length > 0 ? 4 : 6;
  const reached = [...ipv4, ...ipv6];
  return reached.length === 0 ? undefined : { id: `${name} ${reached.join(' ')}`, name, family, addresses: reached };
}
