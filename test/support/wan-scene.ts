import type { RunningCommand } from './command.ts';
import type { Lab } from './lab.ts';
import type { Machine } from './machine.ts';
import { type Scene, startWorker } from './scene.ts';
import { type LinkOptions, openWan, type Wan } from './wan.ts';

/** The same in each scene: no other process has ports in its namespaces. */
export const SIGNALING_PORT = 8787;
export const DIRECT_PORT = 4433;

export interface WanSceneOptions extends LinkOptions {
  readonly workerArgs?: readonly string[] | undefined;
  readonly signalingArgs?: readonly string[] | undefined;
}

/** A scene whose clients are at the left end of a WAN; the worker and the signaling server, and so the relay, are at the right one. */
export interface WanScene extends Scene {
  readonly wan: Wan;
  readonly signalingProcess: RunningCommand;
  /** One more machine at the right end. */
  machineAtWorker(name: string): Promise<Machine>;
}

export async function openWanScene(lab: Lab, options: WanSceneOptions = {}): Promise<WanScene> {
  const { workerArgs = [], signalingArgs = [], ...link } = options;
  const wan = await openWan(lab, link);
  const machineAtWorker = (name: string) => lab.machine(name, { prefix: wan.right.prefix });
  const signaling = await machineAtWorker('signaling');
  const where = ['--host', wan.right.address, '--port', String(SIGNALING_PORT)];
  const signalingProcess = signaling.start(['signaling', ...where, '--json', ...signalingArgs]);
  await signalingProcess.waitForStdout(/^\{.*\}$/m);
  const signalingUrl = `ws://${wan.right.address}:${SIGNALING_PORT}`;
  const worker = await machineAtWorker('worker');
  const { process, session } = await startWorker(worker, signalingUrl, workerArgs);
  return {
    wan,
    signalingProcess,
    signalingUrl,
    worker,
    workerProcess: process,
    session,
    machineAtWorker,
    client: (name, home) => lab.machine(name, { home, prefix: wan.left.prefix, env: { MODEL_RTC_SESSION: session } }),
  };
}
