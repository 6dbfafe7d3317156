import { networkInterfaces } from 'node:os';

export interface MachineAddressesOptions {
  /** Addresses other than loopback, at most. */
  readonly most: number;
  /** Whether to include IPv6 addresses; true when left out. */
  readonly ipv6?: boolean | undefined;
  readonly interfaces?: ReturnType<typeof networkInterfaces> | undefined;
}

/**
 * The addresses at which other machines may reach this one, IPv4 first. Link-local ones are left out: they name an
 * interface of this machine, which means nothing elsewhere. So is loopback, which only the caller can judge.
 */
export function machineAddresses(options: MachineAddressesOptions): string[] {
  const { most, ipv6 = true, interfaces = networkInterfaces() } = options;
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !isLinkLocal(address));
  const ofFamily = (family: string) => outside.filter((one) => one.family === family).map(({ address }) => address);
  return [...ofFamily('IPv4'), ...(ipv6 ? ofFamily('IPv6') : [])].slice(0, most);
}

function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}
