import { cProgram } from './c-program.ts';
import { startCommand } from './command.ts';
import type { Lab } from './lab.ts';
import { addNamespace, deleteLeftoverNamespaces, deleteNamespace } from './namespaces.ts';
import { device, program, type Requirement, rootUser } from './requirements.ts';
import { createTrafficFilter, type TrafficFilter } from './traffic-filter.ts';

/** What a suite that opens a WAN needs; give it to `describeWith`. */
export const WAN_REQUIREMENTS: readonly Requirement[] = [
  rootUser(),
  device('/dev/net/tun', 'this needs /dev/net/tun: modprobe tun, or run the container with --device /dev/net/tun'),
  program('ip', 'iproute2'),
  program('nft', 'nftables'),
  program('cc', 'gcc libc6-dev'),
];

/** How the emulated link behaves, alike in both directions. */
export interface LinkOptions {
  /** One way, so the round trip is twice that; 0 unless told. */
  readonly delayMs?: number | undefined;
  /** Of the packets, at random; 0 unless told. */
  readonly lossPercent?: number | undefined;
  /** As fast as the emulation goes unless told. */
  readonly rateMbit?: number | undefined;
  /** How long a packet may wait for the link before it is dropped; 100 ms unless told. */
  readonly queueMs?: number | undefined;
  /** Which packets are lost depends on it; the same each time unless told. */
  readonly seed?: number | undefined;
}

/** One end of the link: a network namespace, where processes see a loopback device and the link, and nothing else. */
export interface WanEnd {
  readonly address: string;
  /** What stands before a command to run it here: `MachineOptions.prefix`. */
  readonly prefix: readonly [string, ...string[]];
  readonly filter: TrafficFilter;
}

/** Two places with an emulated wide-area link between them. Both go with the lab. */
export interface Wan {
  readonly left: WanEnd;
  readonly right: WanEnd;
}

/**
 * Opens a WAN whose addresses are its own: several of them, also of different processes, do not meet.
 * Its processes are killed when the lab ends, whoever started them.
 */
export async function openWan(lab: Lab, options: LinkOptions = {}): Promise<Wan> {
  const wanlink = await cProgram('wanlink');
  await deleteLeftoverNamespaces();
  const [left, right] = [await openEnd(lab, '10.77.0.1'), await openEnd(lab, '10.77.0.2')];
  const link = startCommand([wanlink, ...ends(left, right), ...linkArguments(options)], { env: process.env });
  lab.onEnd(() => link.kill());
  await link.waitForStdout('wanlink: up');
  return { left, right };
}

async function openEnd(lab: Lab, address: string): Promise<WanEnd & { readonly namespace: string }> {
  const namespace = await addNamespace();
  lab.onEnd(() => deleteNamespace(namespace));
  const prefix = ['ip', 'netns', 'exec', namespace] as const;
  return { namespace, address, prefix, filter: createTrafficFilter(prefix) };
}

type NamedEnd = Awaited<ReturnType<typeof openEnd>>;

function ends(left: NamedEnd, right: NamedEnd): string[] {
  const namespaces = ['--left', left.namespace, '--right', right.namespace];
  return [...namespaces, '--left-ip', left.address, '--right-ip', right.address];
}

function linkArguments({ delayMs = 0, lossPercent = 0, rateMbit = 0, queueMs = 100, seed }: LinkOptions): string[] {
  const named = { 'delay-ms': delayMs, 'loss-percent': lossPercent, 'rate-mbit': rateMbit, 'queue-ms': queueMs, seed };
  return Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]));
}
