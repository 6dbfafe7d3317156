import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Backend, Clock } from '@model-rtc/protocol';
import { findProgram } from '../process/find-tools.ts';

const run = promisify(execFile);
/** A driver that hangs must not hold up a list of models. */
const PROBE_MS = 5_000;
/** A machine with a hundred GPUs prints less. */
const MAX_OUTPUT_BYTES = 64 * 1024;
/** How a program of a driver is run: one that hangs or chatters is ended. */
export const DRIVER_LIMITS = { timeout: PROBE_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const;
/** How long an answer holds: a GPU seldom comes or goes, and a worker is asked page by page. */
const KEPT_MS = 5 * 60 * 1000;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The machine as the probe sees it. */
export interface ProbedMachine {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
}

/**
 * Makes a function that says what this machine can compute on. It asks the machine at its first call, and again after five minutes.
 * @param clock - tells when the answer is too old
 */
export function createHardwareProbe(
  machine: ProbedMachine,
  clock: Pick<Clock, 'nowMs'>,
): () => Promise<ReadonlySet<Backend>> {
  let kept: { readonly answer: Promise<ReadonlySet<Backend>>; readonly atMs: number } | undefined;
  return async () => {
    const nowMs = clock.nowMs();
    if (kept === undefined || nowMs - kept.atMs > KEPT_MS) kept = { answer: probeHardware(machine), atMs: nowMs };
    return await kept.answer;
  };
}

async function probeHardware({ env, platform, arch }: ProbedMachine): Promise<ReadonlySet<Backend>> {
  const found = new Set<Backend>(['cpu']);
  if (await hasCuda(env)) found.add('cuda');
  // Every Mac of this kind has a GPU that Metal runs on.
  if (platform === 'darwin' && arch === 'arm64') found.add('metal');
  return found;
}

/** Whether the driver names a GPU. Source: nvidia-smi(1), `--query-gpu`. */
async function hasCuda(env: Environment): Promise<boolean> {
  const nvidiaSmi = await findProgram('nvidia-smi', env.PATH);
  if (nvidiaSmi === undefined) return false;
  const query = ['--query-gpu=uuid', '--format=csv,noheader'];
  const answer = await run(nvidiaSmi, query, { ...DRIVER_LIMITS, env: { PATH: env.PATH, LC_ALL: 'C' } }).catch(
    () => undefined,
  );
  return answer !== undefined && /^GPU-/m.test(answer.stdout);
}
