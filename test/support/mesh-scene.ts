import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type RunningCommand, startCommand } from './command.ts';
import { makeRandomFile } from './files.ts';
import type { Lab } from './lab.ts';
import { type Host, openLocalNetworks } from './local-network.ts';
import type { Machine } from './machine.ts';
import { importModel } from './scene.ts';
import { REPOSITORY, SOURCE_OPTIONS } from './script-child.ts';

/** The parts of what `mesh peers --json` and `mesh models --json` print that tests look at. */
export interface MeshPeerJson {
  readonly name: string;
  readonly key: string;
  readonly isPresent: boolean;
  readonly isSelf: boolean;
  readonly hasConsent: boolean;
  readonly reachedBy?: string;
  readonly modelCount: number;
  readonly reliability: number;
  readonly sequence: number;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly urls: readonly string[];
  readonly problem?: string;
}
export interface MeshModelJson {
  readonly digest: string;
  readonly names: readonly string[];
  readonly holders: readonly { readonly node: { readonly name: string }; readonly isWhole: boolean }[];
}

/** A machine on a local network that takes part in a mesh. */
export interface MeshMachine extends Machine {
  /** Starts its worker, and waits until it serves. */
  startWorker(...args: string[]): Promise<RunningCommand>;
  /** What its worker knows; with `refresh`, what it hears when it asks. */
  peers(): Promise<readonly MeshPeerJson[]>;
  models(): Promise<readonly MeshModelJson[]>;
  /** Starts a TypeScript file of the repository on this machine. */
  startScript(file: URL, args: readonly string[]): RunningCommand;
}

/** @param host - where it runs, and the environment of its commands; left out for this process's own place */
export async function meshMachine(
  lab: Lab,
  name: string,
  host?: Pick<Host, 'prefix'> & { readonly env?: Readonly<Record<string, string>> },
): Promise<MeshMachine> {
  const prefix = host?.prefix ?? [];
  const machine = await lab.machine(name, { prefix, env: { MODEL_RTC_NODE_NAME: name, ...host?.env } });
  return {
    ...machine,
    startWorker: async (...args) => {
      const worker = machine.start(['worker', '--name', name, '--json', ...args]);
      await worker.waitForStdout(/^\{.*\}$/m);
      return worker;
    },
    peers: async () => (await machine.succeed(['mesh', 'peers', '--json'])).json<{ nodes: MeshPeerJson[] }>().nodes,
    models: async () =>
      (await machine.succeed(['mesh', 'models', '--json'])).json<{ models: MeshModelJson[] }>().models,
    startScript: (script, args) => {
      const [file = '', ...before] = [...prefix, process.execPath, ...SOURCE_OPTIONS, fileURLToPath(script)];
      const running = startCommand([file, ...before, ...args], { cwd: REPOSITORY, env: process.env });
      lab.onEnd(() => running.kill('SIGKILL'));
      return running;
    },
  };
}

/** Machines on local networks, as `openLocalNetworks` makes them, by their names. @param env - of all of them */
export async function meshMachinesOn(
  lab: Lab,
  networks: readonly (readonly number[])[],
  names: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const hosts = await openLocalNetworks(lab, networks);
  const machines = await Promise.all(
    names.map((name, i) => meshMachine(lab, name, { prefix: hosts[i]?.prefix as Host['prefix'], env })),
  );
  return { hosts, machines };
}

/** Imports a model that no other machine has. */
export async function addModel(lab: Lab, machine: MeshMachine, alias: string, bytes = 300_000): Promise<string> {
  const folder = join(await lab.folder(), alias);
  await makeRandomFile(join(folder, 'weights.msgpack'), bytes);
  await importModel(machine, folder, alias);
  return folder;
}

/** Makes a mesh on the first machine, and lets the others join with one invite. @returns the invite */
export async function joinAll(
  [first, ...others]: readonly [MeshMachine, ...MeshMachine[]],
  options: { readonly create?: readonly string[]; readonly invite?: readonly string[] } = {},
): Promise<string> {
  await first.succeed(['mesh', 'create', 'lab', ...(options.create ?? [])]);
  const made = await first.succeed(['mesh', 'invite', '--json', ...(options.invite ?? [])]);
  const { invite } = made.json<{ invite: string }>();
  for (const other of others) await other.succeed(['mesh', 'join', invite, '--timeout', '1s']);
  return invite;
}

/** Far above what anything here takes that does not hang. */
const HANGS_AFTER_MS = 90_000;
/** Each look starts a command, which takes a quarter of a second of a processor's time. */
const LOOK_MS = 1_000;

/** Asks again until the answer is right. @throws Error with the last answer */
export async function until<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  hangsAfterMs = HANGS_AFTER_MS,
): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (performance.now() - startedAt > hangsAfterMs) throw new Error(`It stays at ${JSON.stringify(answer)}`);
    await sleep(LOOK_MS);
  }
}

/** Whether these nodes are present, among them all others that are. */
export function arePresent(nodes: readonly MeshPeerJson[], names: readonly string[]): boolean {
  const present = nodes.filter(({ isPresent }) => isPresent).map(({ name }) => name);
  return [...present].sort().join() === [...names].sort().join();
}

/** Whether a model is known with exactly these holders. */
export function isHeldBy(models: readonly MeshModelJson[], name: string, holders: readonly string[]): boolean {
  const found = models.find(({ names }) => names.includes(name));
  const has = (found?.holders ?? []).map(({ node }) => node.name);
  return [...has].sort().join() === [...holders].sort().join();
}
