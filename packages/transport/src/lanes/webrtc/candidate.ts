/** Interfaces times address families of a large server; a flood beyond it would only be probed in vain. */
export const MAX_REMOTE_CANDIDATES = 64;

const CANDIDATE =
  /^(?:a=)?candidate:([A-Za-z0-9+/]{1,32}) 1 udp ([0-9]{1,10}) ([0-9A-Fa-f.:]{2,45}) ([0-9]{1,5}) typ (host|srflx|prflx|relay)(?: raddr ([0-9A-Fa-f.:]{2,45}) rport ([0-9]{1,5}))?(?: |$)/i;

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
  if (relatedAddress === undefined || !isIp(relatedAddress) || Number(relatedPort) > 65_535) return candidate;
  return `${candidate} raddr ${relatedAddress} rport ${Number(relatedPort)}`;
}

/** IPv4's own network and all from multicast on. */
const NOWHERE_IPV4 = /^(0|22[4-9]|2[3-5][0-9])\./;
/**
 * Unspecified, multicast, IPv4 in IPv6, and link-local, which means nothing without the other machine's name of an interface.
 * In the form of RFC 5952.
 */
const NOWHERE_IPV6 = /^(::|ff[0-9a-f]{2}:.*|fe[89ab][0-9a-f]:.*|::ffff:[0-9a-f]+:[0-9a-f]+)$/;

/** Whether an agent may be reached there. */
function leadsSomewhere(address: string, port: number): boolean {
  if (port < 1 || port > 65_535) return false;
  if (isIpv4(address)) return !NOWHERE_IPV4.test(address);
  const ipv6 = shortIpv6(address);
  return ipv6 !== undefined && !NOWHERE_IPV6.test(ipv6);
}

function isIp(address: string): boolean {
  return isIpv4(address) || shortIpv6(address) !== undefined;
}

function isIpv4(address: string): boolean {
  return /^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.(?!$)|$)){4}$/.test(address);
}

/** @returns the address as RFC 5952 writes it; undefined for what is no IPv6 address. URLs parse them on every platform. */
function shortIpv6(address: string): string | undefined {
  if (!address.includes(':')) return undefined;
  try {
    return new URL(`http://[${address}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
}
