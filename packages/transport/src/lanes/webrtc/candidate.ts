import { BlockList, isIP } from 'node:net';

/** Interfaces times address families of a large server; a flood beyond it would only be probed in vain. */
export const MAX_REMOTE_CANDIDATES = 64;

const CANDIDATE =
  /^(?:a=)?candidate:([A-Za-z0-9+/]{1,32}) 1 udp ([0-9]{1,10}) ([0-9A-Fa-f.:]{2,45}) ([0-9]{1,5}) typ (host|srflx|prflx|relay)(?: raddr ([0-9A-Fa-f.:]{2,45}) rport ([0-9]{1,5}))?(?: |$)/i;

/**
 * Addresses that no agent can be reached at: unspecified, multicast, reserved, mapped, and link-local IPv6, which
 * means nothing without the other machine's name of an interface. Two lists, since one that holds the mapped range
 * matches every IPv4 address.
 */
const NOWHERE_IPV4 = nowhereIpv4();
const NOWHERE_IPV6 = nowhereIpv6();

/**
 * Reads an ICE candidate (RFC 8839, section 5.1) and writes it anew, so that nothing else of the text reaches an
 * engine's parser.
 *
 * @returns undefined for one that is of no use here: malformed, not UDP, an mDNS name, an address that leads nowhere
 */
export function usableCandidate(text: string): string | undefined {
  const match = text.length <= 512 ? CANDIDATE.exec(text) : null;
  if (match === null) return undefined;
  const [, foundation, priority, address = '', port, type = '', relatedAddress, relatedPort] = match;
  if (!leadsSomewhere(address, Number(port)) || Number(priority) > 2 ** 32 - 1) return undefined;
  const candidate = `candidate:${foundation} 1 UDP ${Number(priority)} ${address} ${Number(port)} typ ${type.toLowerCase()}`;
  if (relatedAddress === undefined || isIP(relatedAddress) === 0 || Number(relatedPort) > 65_535) return candidate;
  return `${candidate} raddr ${relatedAddress} rport ${Number(relatedPort)}`;
}

function leadsSomewhere(address: string, port: number): boolean {
  const family = isIP(address);
  if (family === 0 || port < 1 || port > 65_535) return false;
  return family === 4 ? !NOWHERE_IPV4.check(address, 'ipv4') : !NOWHERE_IPV6.check(address, 'ipv6');
}

function nowhereIpv4(): BlockList {
  const list = new BlockList();
  list.addSubnet('0.0.0.0', 8, 'ipv4');
  list.addSubnet('224.0.0.0', 3, 'ipv4');
  return list;
}

function nowhereIpv6(): BlockList {
  const list = new BlockList();
  list.addAddress('::', 'ipv6');
  list.addSubnet('ff00::', 8, 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  list.addSubnet('::ffff:0:0', 96, 'ipv6');
  return list;
}
