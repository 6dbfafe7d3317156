import { ModelRtcError } from '@model-rtc/protocol';
import { ANY_HOST } from '../messages.ts';

/** Where a connection arrived at this machine. */
export interface LocalAddress {
  readonly address: string;
  readonly port: number;
}

/** Whether a host that a worker says it dialled, in the form of `URL.host`, is this server. */
export type HostCheck = (host: string, local: LocalAddress) => boolean;

export interface OwnHostsOptions {
  /** Names, with or without a port, that lead here through DNS, a proxy or a NAT. `*` is every name. */
  readonly publicHosts: readonly string[];
  /** This machine's own name. */
  readonly machineName: string;
  /** Whether a worker may bind itself to no name; true when left out. */
  readonly takesAnyHost?: boolean | undefined;
}

interface Host {
  readonly name: string;
  /** undefined when the text has none. */
  readonly port: number | undefined;
}

/** The ports that a URL leaves out, of ws: and wss:. */
const SCHEME_PORTS: readonly number[] = [80, 443];

/**
 * Tells which hosts are this server, so that a registration signed for another one is refused: without that, a hostile
 * server could pass our challenge on to a worker that dials it, and take the worker's room here with the answer.
 * The Host header cannot tell, since the client chooses it. What can: the address at which the connection arrived,
 * this machine's own name, and the names that the operator gave. A worker that uses one server alone binds itself to none.
 *
 * @throws ModelRtcError `bad_argument` when a public host is no host.
 */
export function createHostCheck({ publicHosts, machineName, takesAnyHost = true }: OwnHostsOptions): HostCheck {
  if (publicHosts.includes('*')) return () => true;
  const known = publicHosts.map(parsePublicHost);
  const names = machineNames(machineName);
  return (text, local) => {
    if (text === ANY_HOST) return takesAnyHost;
    const host = parseHost(text);
    if (host === undefined) return false;
    return known.some((own) => matches(host, own)) || isArrival(host, local, names);
  };
}

function matches(host: Host, own: Host): boolean {
  return host.name === own.name && (own.port === undefined || host.port === own.port);
}

/** Whether the host is where the connection arrived, by address or by the machine's name. */
function isArrival(host: Host, local: LocalAddress, names: ReadonlySet<string>): boolean {
  const portFits = host.port === undefined ? SCHEME_PORTS.includes(local.port) : host.port === local.port;
  if (!portFits) return false;
  const address = plainAddress(local.address);
  if (host.name === 'localhost') return address === '::1' || address.startsWith('127.');
  return host.name === urlName(address) || names.has(host.name);
}

/** A socket that listens on both families shows IPv4 peers as `::ffff:1.2.3.4`. */
export function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}

function urlName(address: string): string {
  return address.includes(':') ? (parseHost(`[${address}]`)?.name ?? '') : address;
}

function machineNames(machineName: string): ReadonlySet<string> {
  const full = machineName.toLowerCase();
  const short = full.split('.')[0] ?? '';
  return new Set([full, short, `${short}.local`].filter((name) => name !== '' && name !== '.local'));
}

/** The URL parser brings every spelling of a name or address to one. */
function parseHost(text: string): Host | undefined {
  if (!/^[A-Za-z0-9._:[\]-]+$/.test(text) || !URL.canParse(`ws://${text}`)) return undefined;
  const url = new URL(`ws://${text}`);
  if (url.hostname === '') return undefined;
  return { name: url.hostname, port: portOf(text, url) };
}

/** `URL` drops the port 80 of `ws:` even where it is given. */
function portOf(text: string, url: URL): number | undefined {
  if (url.port !== '') return Number(url.port);
  return text.endsWith(':80') ? 80 : undefined;
}

function parsePublicHost(text: string): Host {
  const host = parseHost(text);
  if (host !== undefined) return host;
  throw new ModelRtcError(
    'bad_argument',
    `"${text}" is not a public host; give a name or an address, with or without a port.`,
  );
}
