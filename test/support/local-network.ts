import { cProgram } from './c-program.ts';
import { startCommand } from './command.ts';
import type { Lab } from './lab.ts';
import { addNamespace, deleteLeftoverNamespaces, deleteNamespace } from './namespaces.ts';
import { createTrafficFilter, type TrafficFilter } from './traffic-filter.ts';

/** One computer on one or more local networks: a network namespace of its own. */
export interface Host {
  /** Its address on each network, in the order of the networks. */
  readonly addresses: readonly string[];
  /** What stands before a command to run it here: `MachineOptions.prefix`. */
  readonly prefix: readonly [string, ...string[]];
  readonly filter: TrafficFilter;
}

/**
 * Makes computers and the switches that join them. Nothing leads from one network to another, except through programs on a computer that
 * is on both. All of it goes with the lab.
 *
 * @param networks for each computer, the numbers of the networks that it is on: `[[0], [0], [0, 1], [1]]`
 */
export async function openLocalNetworks(lab: Lab, networks: readonly (readonly number[])[]): Promise<Host[]> {
  const program = await cProgram('lanswitch');
  await deleteLeftoverNamespaces();
  const hosts: (Host & { readonly namespace: string })[] = [];
  for (const [index, on] of networks.entries()) {
    const namespace = await addNamespace();
    lab.onEnd(() => deleteNamespace(namespace));
    const prefix = ['ip', 'netns', 'exec', namespace] as const;
    const addresses = on.map((network) => `10.88.${network}.${index + 1}`);
    hosts.push({ namespace, addresses, prefix, filter: createTrafficFilter(prefix) });
  }
  for (const network of new Set(networks.flat())) {
    const ports = hosts.flatMap(({ namespace, addresses }, index) => {
      const place = networks[index]?.indexOf(network) ?? -1;
      return place < 0 ? [] : [`${namespace}=lan${network}=${addresses[place]}`];
    });
    const networkSwitch = startCommand([program, ...ports], { env: process.env });
    lab.onEnd(() => networkSwitch.kill());
    await networkSwitch.waitForStdout('lanswitch: up');
  }
  return hosts;
}
