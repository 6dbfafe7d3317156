import { join } from 'node:path';
import { execa } from 'execa';
import type { CommandResult, RunningCommand } from './command.ts';
import { makeRandomFile } from './files.ts';
import type { Lab } from './lab.ts';
import { type Host, openLocalNetworks } from './local-network.ts';
import { isHeldBy, joinAll, type MeshMachine, meshMachine, until } from './mesh-scene.ts';
import { importModel } from './scene.ts';

/** A node with the model and a slow way out, and others that have nothing yet, all on one local network. */
export interface MeshSwarm {
  readonly seed: MeshMachine;
  readonly seedHost: Host;
  readonly seedWorker: RunningCommand;
  readonly others: readonly MeshMachine[];
  /** The worker of each of them. */
  readonly workers: readonly RunningCommand[];
  readonly digest: string;
  /** Where the seed's model came from. */
  readonly modelFolder: string;
  /** Bytes that left the seed's network device since the swarm was opened: all that it sent, wanted or not. */
  sentBySeed(): Promise<number>;
}

export interface MeshSwarmOptions {
  readonly nodes: number;
  readonly modelBytes: number;
  /** What the seed may send a second, as people write it: `2MB`. */
  readonly seedRate: string;
}

/** Machines whose commands are started at once: more would only wait for a processor. */
const AT_ONCE = 2;

/** Opens the network, makes the mesh and starts all workers. Resolves when each knows what the seed has. */
export async function openMeshSwarm(lab: Lab, { nodes, modelBytes, seedRate }: MeshSwarmOptions): Promise<MeshSwarm> {
  const hosts = await openLocalNetworks(
    lab,
    Array.from({ length: nodes + 1 }, () => [0]),
  );
  const machines = await Promise.all(hosts.map((host, i) => meshMachine(lab, i === 0 ? 'seed' : `node-${i}`, host)));
  const [seed, ...others] = machines as [MeshMachine, ...MeshMachine[]];
  const folder = join(await lab.folder(), 'model');
  await makeRandomFile(join(folder, 'weights.msgpack'), modelBytes);
  const { digest } = await importModel(seed, folder, 'mouse');
  await seed.succeed(['settings', 'set', 'limit.up', seedRate]);
  const invite = await joinAll([seed]);
  await inTurn(others, (machine) => machine.succeed(['mesh', 'join', invite, '--timeout', '1s']));
  const seedWorker = await seed.startWorker();
  const workers = await inTurn(others, (machine) => machine.startWorker());
  await inTurn(others, (machine) => until(machine.models, (models) => isHeldBy(models, 'mouse', ['seed'])));
  const [seedHost] = hosts as [Host, ...Host[]];
  const sent = (): Promise<number> => sentBytes(seedHost);
  const before = await sent();
  const sentBySeed = async (): Promise<number> => (await sent()) - before;
  return { seed, seedHost, seedWorker, others, workers, digest, modelFolder: folder, sentBySeed };
}

/** What one that fetches a model from a mesh has got, and from whom. */
export interface SwarmPull {
  readonly outcome: string;
  readonly entry: { readonly digest: string; readonly localPath: string };
  readonly workers: readonly { readonly name: string; readonly bytes: number }[];
}

export function startPull(machine: MeshMachine, ...more: string[]): RunningCommand {
  return machine.start(['client', 'pull-model', 'mesh:mouse', '--consent', '--json', ...more]);
}

/** The result of a pull that succeeded. @throws Error with what the command wrote */
export function pulled(result: CommandResult): SwarmPull {
  if (result.exitCode !== 0) throw new Error(`a pull ended with ${result.exitCode}:\n${result.stderr}`);
  return result.json<SwarmPull>();
}

/** Does something with all of them, a few at a time. */
export async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>, atOnce = AT_ONCE): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const next = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) results[one[0]] = await work(one[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, next));
  return results;
}

/** What left a computer over its first network, wanted or not. */
export async function sentBytes({ prefix }: Pick<Host, 'prefix'>): Promise<number> {
  const [file, ...before] = prefix;
  const { stdout } = await execa(file, [...before, 'cat', '/sys/class/net/lan0/statistics/tx_bytes']);
  return Number(stdout);
}
