import type { RunningCommand } from '../../test/support/command.ts';
import type { Lab } from '../../test/support/lab.ts';
import type { Machine } from '../../test/support/machine.ts';
import { openScene, type Scene, type TransferJson } from '../../test/support/scene.ts';

export const ENGINES = ['native', 'werift'] as const;
export type Engine = (typeof ENGINES)[number];
/** What a transfer goes over: webrtc lanes of one engine, or another kind of lane. */
export type Way = Engine | 'direct' | 'relay';

/** What a transfer says of its speed, besides what it moved. */
export interface MeasuredTransfer extends TransferJson {
  readonly bytesPerSecond: number;
  /** Counted from the start of the command's process. */
  readonly timings: { readonly firstChunkMs: number; readonly totalMs: number };
}

/** A signaling server and a worker whose webrtc lanes are of one engine only. */
export async function openWayScene(lab: Lab, way: Way): Promise<Scene> {
  return await openScene(lab, { workerArgs: isEngine(way) ? ['--engine', way] : [] });
}

function isEngine(way: Way): way is Engine {
  return way === 'native' || way === 'werift';
}

/** Moves a model and checks that every byte of it crossed the network, over the way that was asked for. */
export async function measureTransfer(
  machine: Machine,
  command: 'pull-model' | 'push-model',
  ref: string,
  way: Way,
): Promise<MeasuredTransfer> {
  return checkedTransfer(await startTransfer(machine, command, ref, way).exited, way);
}

/** A bound for a transfer that hangs, far above what the slowest takes. */
const LONGEST_TRANSFER_MS = 15 * 60_000;

export function startTransfer(
  machine: Machine,
  command: 'pull-model' | 'push-model',
  ref: string,
  way: Way,
): RunningCommand {
  const over = isEngine(way) ? ['--lane', 'webrtc', '--engine', way] : ['--lane', way];
  return killOn(AbortSignal.timeout(LONGEST_TRANSFER_MS), machine.start(['client', command, ref, ...over, '--json']));
}

/** Kills a command when the signal aborts, so that what hangs does not hold up what comes after it. */
export function killOn(signal: AbortSignal, running: RunningCommand): RunningCommand {
  const kill = () => void running.kill('SIGKILL').catch(() => undefined);
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill);
  void running.exited.finally(() => signal.removeEventListener('abort', kill)).catch(() => undefined);
  return running;
}

/** The result of a transfer, if it is one that may be measured: a resumed or de-duplicated one is faster than the network. */
export function checkedTransfer(result: Awaited<RunningCommand['exited']>, way: Way): MeasuredTransfer {
  const { exitCode, signal, stderr } = result;
  if (exitCode !== 0) throw new Error(`The transfer ended with ${exitCode ?? signal}: ${stderr}`);
  const transfer = result.json<MeasuredTransfer>();
  if (transfer.transferredBytes !== transfer.entry.size) {
    throw new Error(`Only ${transfer.transferredBytes} of ${transfer.entry.size} bytes crossed the network`);
  }
  const others = transfer.lanes.filter(({ kind, engine }) => (isEngine(way) ? engine : kind) !== way);
  if (others.length > 0) throw new Error(`Another way than ${way} was used: ${JSON.stringify(others)}`);
  return transfer;
}
