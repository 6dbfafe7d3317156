import { isIPv4, isIPv6 } from 'node:net';
import type { LanAnnouncement, LanSighting, MdnsAnswer, ReceivedPacket, ReceivedRecord } from './types.ts';

/** The service that nodes announce. Source: RFC 6763, section 7. */
export const SERVICE = '_model-rtc._tcp.local';
/** How long others may remember an announcement. Source: RFC 6762, section 10, for records with host names. */
const TTL_S = 120;
/** A machine is in a few meshes: what follows more records than this in one packet is not read. */
const MAX_RECORDS = 128;
/** Addresses of one node that are tried. */
const MAX_URLS = 4;
const HINT = /^[0-9a-f]{16}$/;
const MASKED_KEY = /^[0-9a-f]{64}$/;

/** The records that announce the node, with the addresses of the interface that they go out on. */
export function announcementRecords(
  { meshHint, nodeHint, maskedKey, port }: LanAnnouncement,
  addresses: readonly string[],
  { isLeaving = false }: { readonly isLeaving?: boolean } = {},
): MdnsAnswer[] {
  const ttl = isLeaving ? 0 : TTL_S;
  const instance = `${nodeHint}.${SERVICE}`;
  const target = `${nodeHint}.local`;
  return [
    { name: SERVICE, type: 'PTR', ttl, data: instance },
    { name: instance, type: 'SRV', ttl, data: { port, target } },
    { name: instance, type: 'TXT', ttl, data: [`v=1`, `m=${meshHint}`, `n=${nodeHint}`, `k=${maskedKey}`] },
    ...addresses.map((data): MdnsAnswer => ({ name: target, type: isIPv4(data) ? 'A' : 'AAAA', ttl, data })),
  ];
}

/** Whether somebody asks who offers the service. */
export function asksForService({ questions }: ReceivedPacket): boolean {
  return questions
    .slice(0, MAX_RECORDS)
    .some(({ name, type }) => isName(name, SERVICE) && (type === 'PTR' || type === 'ANY'));
}

/**
 * The nodes that a packet announces. Anyone on the network can send one, so all that does not look right is left out.
 * @param senderAddress - where the packet came from: the address by which the sender is surely reached
 */
export function sightingsIn({ answers }: ReceivedPacket, senderAddress: string): LanSighting[] {
  const records = answers.slice(0, MAX_RECORDS);
  const sightings = records.flatMap((record): LanSighting[] => {
    const hints = record.type === 'TXT' ? hintsOf(record) : undefined;
    if (hints === undefined) return [];
    const service = records.find(({ type, name }) => type === 'SRV' && isName(name, String(record.name)));
    const { port, target } = (service?.data ?? {}) as { readonly port?: unknown; readonly target?: unknown };
    if (!isPort(port)) return [];
    const named = records.filter(({ type, name }) => (type === 'A' || type === 'AAAA') && isName(name, String(target)));
    const addresses = new Set([senderAddress, ...named.map(({ data }) => data)].filter(isDialable));
    const isLeaving = record.ttl === 0;
    const urls = [...addresses].slice(0, MAX_URLS).map((host) => `ws://${isIPv6(host) ? `[${host}]` : host}:${port}`);
    return [{ ...hints, urls: isLeaving ? [] : urls, isLeaving }];
  });
  return sightings.filter(({ isLeaving, urls }) => isLeaving || urls.length > 0);
}

function hintsOf({ name, data }: ReceivedRecord): Pick<LanSighting, 'meshHint' | 'nodeHint' | 'maskedKey'> | undefined {
  if (typeof name !== 'string' || !name.toLowerCase().endsWith(`.${SERVICE}`) || !Array.isArray(data)) return undefined;
  const texts = data.slice(0, MAX_RECORDS).map(String);
  const textOf = (key: string) => texts.find((text) => text.startsWith(`${key}=`))?.slice(key.length + 1);
  const meshHint = textOf('m');
  const nodeHint = textOf('n');
  if (meshHint === undefined || nodeHint === undefined || !HINT.test(meshHint) || !HINT.test(nodeHint))
    return undefined;
  const maskedKey = textOf('k');
  return { meshHint, nodeHint, maskedKey: MASKED_KEY.test(maskedKey ?? '') ? maskedKey : undefined };
}

function isName(name: unknown, wanted: string): boolean {
  return typeof name === 'string' && name.toLowerCase() === wanted.toLowerCase();
}

function isPort(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536;
}

/** A link-local IPv6 address names an interface of the sender, and no URL can say which one of ours that is. */
function isDialable(address: unknown): address is string {
  if (typeof address !== 'string') return false;
  return isIPv4(address)
    ? address !== '0.0.0.0' && !/^(22[4-9]|2[3-5]\d)\./.test(address)
    : isIPv6(address) && !/^fe[89ab]|^ff|%|^::$/i.test(address);
}
