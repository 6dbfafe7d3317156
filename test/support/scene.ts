import { fileURLToPath } from 'node:url';
import type { RunningCommand } from './command.ts';
import type { Lab } from './lab.ts';
import type { Machine } from './machine.ts';

/** Real models in the layouts of the tools that write them; see their README. */
export const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));

export interface Scene {
  /** The machine of the worker, and its running process. */
  readonly worker: Machine;
  readonly workerProcess: RunningCommand;
  readonly session: string;
  readonly signalingUrl: string;
  /** A new client machine; its commands use the session unless told otherwise. */
  client(name: string, home?: string): Promise<Machine>;
}

export interface SceneOptions {
  readonly workerArgs?: readonly string[] | undefined;
  readonly workerHome?: string | undefined;
}

/** A signaling server and a worker, each a process of its own, ready to be used. */
export async function openScene(lab: Lab, options: SceneOptions = {}): Promise<Scene> {
  const { url } = await startSignaling(lab);
  const worker = await lab.machine('worker', { home: options.workerHome });
  const { process, session } = await startWorker(worker, url, options.workerArgs);
  return {
    worker,
    workerProcess: process,
    session,
    signalingUrl: url,
    client: (name, home) => lab.machine(name, { home, env: { MODEL_RTC_SESSION: session } }),
  };
}

export async function startSignaling(
  lab: Lab,
  port = 0,
): Promise<{ url: string; port: number; process: RunningCommand }> {
  const machine = await lab.machine('signaling');
  const process = machine.start(['signaling', '--host', '127.0.0.1', '--port', String(port), '--json']);
  const [line] = await process.waitForStdout(/^\{.*\}$/m);
  const actual = (JSON.parse(line) as { port: number }).port;
  return { url: `ws://127.0.0.1:${actual}`, port: actual, process };
}

export async function startWorker(
  machine: Machine,
  url: string,
  args: readonly string[] = [],
): Promise<{ process: RunningCommand; session: string }> {
  const process = machine.start(['worker', '--signaling', url, '--name', machine.name, '--json', ...args]);
  const [line] = await process.waitForStdout(/^\{.*\}$/m);
  return { process, session: (JSON.parse(line) as { session: string }).session };
}

/** The parts of the commands' results that the tests look at. */
export interface ModelJson {
  readonly id: string;
  readonly digest: string;
  readonly alias?: string;
  readonly localPath: string;
  readonly size: number;
}
export interface ImportJson {
  readonly outcome: string;
  readonly entry: ModelJson;
}
export interface TransferJson {
  readonly event: 'result';
  readonly outcome: string;
  readonly entry: ModelJson;
  readonly transferredBytes: number;
  readonly reusedBytes: number;
  readonly resumedBytes: number;
  readonly lanes: readonly {
    readonly kind: string;
    readonly engine: string;
    readonly sentBytes: number;
    readonly receivedBytes: number;
  }[];
  /** Of a pull: what each worker gave. */
  readonly workers: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly lanes: readonly { readonly kind: string; readonly count: number; readonly bytes: number }[];
  }[];
}
export interface ErrorJson {
  readonly error: { readonly code: string; readonly message: string };
}

export async function importModel(
  machine: Machine,
  path: string,
  alias: string,
  ...more: string[]
): Promise<ModelJson> {
  const result = await machine.succeed(['client', 'import-model', path, '--alias', alias, '--yes', '--json', ...more]);
  return result.json<ImportJson>().entry;
}

export async function push(machine: Machine, ref: string, ...more: string[]): Promise<TransferJson> {
  return (await machine.succeed(['client', 'push-model', ref, '--json', ...more])).json<TransferJson>();
}

export async function pull(machine: Machine, ref: string, ...more: string[]): Promise<TransferJson> {
  return (await machine.succeed(['client', 'pull-model', ref, '--json', ...more])).json<TransferJson>();
}

/** The error that a command printed with --json. */
export function errorOf({ stderr }: { readonly stderr: string }): ErrorJson['error'] {
  const line = stderr
    .trim()
    .split('\n')
    .findLast((text) => text.startsWith('{"error"'));
  if (line === undefined) throw new Error(`No error in: ${stderr}`);
  return (JSON.parse(line) as ErrorJson).error;
}

/** What a command with --json printed besides events of progress: of one that failed, nothing. */
export function resultsOf({ stdout }: { readonly stdout: string }): string[] {
  return stdout.split('\n').filter((line) => line !== '' && !/^\{"event":"(progress|worker)"/.test(line));
}

/** Where a model's files lie on a machine, without the registry's own notes. */
export const IGNORED = { ignore: ['.model-rtc'] } as const;
