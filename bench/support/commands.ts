import type { RunningCommand } from '../../test/support/command.ts';
import type { Lab } from '../../test/support/lab.ts';
import type { Machine } from '../../test/support/machine.ts';
import { openScene, type Scene, type TransferJson } from '../../test/support/scene.ts';

export const ENGINES = ['native', 'werift'] as const;
export type Engine = (typeof ENGINES)[number];

/** What a transfer says of its speed, besides what it moved. */
export interface MeasuredTransfer extends TransferJson {
  readonly bytesPerSecond: number;
  /** Counted from the start of the command's process. */
  readonly timings: { readonly firstChunkMs: number; readonly totalMs: number };
}

/** A signaling server and a worker that speaks through one engine only. */
export async function openEngineScene(lab: Lab, engine: Engine): Promise<Scene> {
  return await openScene(lab, { workerArgs: ['--engine', engine] });
}

/** Moves a model and checks that every byte of it crossed the network, over the engine that was asked for. */
export async function measureTransfer(
  machine: Machine,
  command: 'pull-model' | 'push-model',
  ref: string,
  engine: Engine,
): Promise<MeasuredTransfer> {
  return checkedTransfer(await startTransfer(machine, command, ref, engine).exited, engine);
}

/** A bound for a transfer that hangs, far above what the slowest takes. */
const LONGEST_TRANSFER_MS = 15 * 60_000;

export function startTransfer(
  machine: Machine,
  command: 'pull-model' | 'push-model',
  ref: string,
  engine: Engine,
): RunningCommand {
  const running = machine.start(['client', command, ref, '--engine', engine, '--json']);
  const limit = setTimeout(() => void running.kill('SIGKILL').catch(() => undefined), LONGEST_TRANSFER_MS);
  void running.exited.finally(() => clearTimeout(limit)).catch(() => undefined);
  return running;
}

/** The result of a transfer, if it is one that may be measured: a resumed or de-duplicated one is faster than the network. */
export function checkedTransfer(result: Awaited<RunningCommand['exited']>, engine: Engine): MeasuredTransfer {
  const { exitCode, signal, stderr } = result;
  if (exitCode !== 0) throw new Error(`The transfer ended with ${exitCode ?? signal}: ${stderr}`);
  const transfer = result.json<MeasuredTransfer>();
  if (transfer.transferredBytes !== transfer.entry.size) {
    throw new Error(`Only ${transfer.transferredBytes} of ${transfer.entry.size} bytes crossed the network`);
  }
  const others = transfer.lanes.filter((lane) => lane.engine !== engine);
  if (others.length > 0) throw new Error(`Another engine than ${engine} was used: ${JSON.stringify(others)}`);
  return transfer;
}
