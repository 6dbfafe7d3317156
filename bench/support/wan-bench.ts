import { fileURLToPath } from 'node:url';
import { startCommand } from '../../test/support/command.ts';
import { makeRandomFile } from '../../test/support/files.ts';
import type { Lab } from '../../test/support/lab.ts';
import { peakMemoryBytes } from '../../test/support/process-memory.ts';
import { assertMet, program } from '../../test/support/requirements.ts';
import { importModel } from '../../test/support/scene.ts';
import { WAN_REQUIREMENTS, type Wan } from '../../test/support/wan.ts';
import { openWanScene, type WanScene } from '../../test/support/wan-scene.ts';
import { rawSpeed, runBaseline } from './baseline.ts';
import { boundRow, type Row } from './benchmark.ts';
import { type Engine, killOn, type MeasuredTransfer } from './commands.ts';
import { peakUntilEnd } from './peak-memory.ts';

/** The link of the issue: 200 Mbit/s, and 50 ms there and back. */
const LINK = { rateMbit: 200, delayMs: 25 } as const;
/** What it carries, in megabytes (10^6 bytes) a second. */
export const LINK_MEGABYTES = LINK.rateMbit / 8;

const RAW_WEBRTC = fileURLToPath(new URL('../raw-webrtc.ts', import.meta.url));
const IPERF_SECONDS = 10;
/** A bound for what hangs, far above what the slowest takes. */
const LONGEST_MS = 10 * 60_000;

const MOST_MEMORY_MEGABYTES = 250;

let iperfPort = 5201;

/** One way of sending: a kind of lane, and for webrtc the engine of the client. */
export interface Way {
  readonly lane: 'direct' | 'webrtc' | 'relay';
  readonly engine?: Engine;
}

/** What a pull over the link did. */
export interface Pulled {
  readonly megabytesPerSecond: number;
  /** Connections that carried some of it. */
  readonly connections: number;
  /** The most resident memory of client and worker. */
  readonly memoryMegabytes: number;
}

export function wayName({ lane, engine }: Way): string {
  return engine === undefined ? lane : `${lane} ${engine}`;
}

/** @throws Error naming what is missing on this machine */
export function assertWan(): void {
  assertMet([...WAN_REQUIREMENTS, program('iperf3', 'iperf3')]);
}

/** A scene on the link with a model of random bytes at the worker, by the name of `model`. */
export async function openWanModel(lab: Lab, bytes: number, lossPercent = 0): Promise<WanScene> {
  const scene = await openWanScene(lab, { ...LINK, lossPercent });
  const path = `${await lab.folder()}/model.bin`;
  await makeRandomFile(path, bytes);
  await importModel(scene.worker, path, 'model');
  return scene;
}

interface PullOptions {
  /** More arguments of the command. */
  readonly more?: readonly string[];
  /** Kills the command; ten minutes unless told. */
  readonly signal?: AbortSignal;
}

/** Pulls the model with a new client, and checks that all of it came over the lane that was asked for. */
export async function pullOver(scene: WanScene, client: string, way: Way, options: PullOptions = {}): Promise<Pulled> {
  const { more = [], signal = AbortSignal.timeout(LONGEST_MS) } = options;
  const machine = await scene.client(client);
  const how = ['--lane', way.lane, '--engine', way.engine ?? 'auto'];
  const running = killOn(signal, machine.start(['client', 'pull-model', 'model', ...how, '--json', ...more]));
  const clientPeak = await peakUntilEnd(running);
  const { exitCode, stderr, ...ended } = await running.exited;
  if (exitCode !== 0)
    throw new Error(`The transfer over ${wayName(way)} ended with ${exitCode ?? ended.signal}: ${stderr}`);
  const { transferredBytes, entry, workers, bytesPerSecond } = ended.json<MeasuredTransfer>();
  const lanes = workers.flatMap((worker) => worker.lanes);
  const isRight = lanes.every(({ kind }) => kind === way.lane) && transferredBytes === entry.size;
  if (!isRight) throw new Error(`Not what was to be measured: ${transferredBytes} bytes over ${JSON.stringify(lanes)}`);
  const workerPeak = await peakMemoryBytes(scene.workerProcess.pid);
  return {
    megabytesPerSecond: bytesPerSecond / 1e6,
    connections: lanes.reduce((sum, { count }) => sum + count, 0),
    memoryMegabytes: Math.max(clientPeak, workerPeak) / 1e6,
  };
}

/** The most memory that either agent had in any of the transfers. */
export function memoryRow(what: string, pulled: readonly Pulled[]): Row {
  const samples = [Math.max(...pulled.map(({ memoryMegabytes }) => memoryMegabytes))];
  return boundRow({ what: `${what}, memory of either agent`, unit: 'MB', samples, atMost: MOST_MEMORY_MEGABYTES });
}

/** What the link carries from right to left, as a pull does, with so many TCP connections; in megabytes a second. */
export async function iperfSpeed({ left, right }: Wan, streams: number, signal: AbortSignal): Promise<number> {
  const port = String(iperfPort++);
  const server = startCommand([...right.prefix, 'iperf3', '-s', '-1', '-p', port, '--forceflush'], ENVIRONMENT);
  try {
    await server.waitForStdout('Server listening');
    const options = ['-p', port, '-R', '-t', String(IPERF_SECONDS), '-P', String(streams), '-J'];
    const client = await runBaseline([...left.prefix, 'iperf3', '-c', right.address, ...options], signal);
    const { end } = client.json<{ end: { sum_received: { bits_per_second: number } } }>();
    return end.sum_received.bits_per_second / 8e6;
  } finally {
    await server.kill('SIGKILL');
  }
}

/** What one PeerConnection carries across the link with nothing of ours around it; in megabytes a second. */
export async function associationSpeed(
  { left, right }: Wan,
  engine: Engine,
  megabytes: number,
  signal: AbortSignal,
): Promise<number> {
  const namespace = right.prefix.at(-1) as string;
  const script = [process.execPath, '--import', 'tsx', RAW_WEBRTC, engine, String(megabytes), namespace];
  return await rawSpeed([...left.prefix, ...script], signal);
}

const ENVIRONMENT = { env: process.env };
