import { execFile } from 'node:child_process';
import { arch, availableParallelism, loadavg, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { freeBytes } from '@model-rtc/files';
import { findProgram } from '../process/find-tools.ts';
import { DRIVER_LIMITS, type Environment } from './probe-hardware.ts';

const run = promisify(execFile);
const GB = 1024 ** 3;
/** A machine with more GPUs than this is described by the first. */
const MAX_GPUS = 64;

/** What a person chooses a machine by: numbers in the unit that the name says, memory and space in GB. */
export type MachineProperties = Readonly<Record<string, string | number | boolean>>;

export interface MachinePropertiesOptions {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** A folder on the file system where models go. */
  readonly folder: string;
}

/**
 * What this machine is and how busy it is: `gpu`, `gpu_count`, `gpu_memory` (of its largest), `cpu_count`, `memory`, `free_space`,
 * `load` (0 is idle, 1 is all processors busy), `platform`, `arch`. What cannot be found out is left out.
 */
export async function machineProperties(options: MachinePropertiesOptions): Promise<MachineProperties> {
  const { env, platform, folder } = options;
  const [gpus, free] = await Promise.all([nvidiaGpus(env), freeBytes(folder).catch(() => Number.POSITIVE_INFINITY)]);
  const [largest] = [...gpus].sort((a, b) => b.memoryGb - a.memoryGb);
  const cpus = availableParallelism();
  return {
    ...(largest === undefined
      ? {}
      : { gpu: largest.name, gpu_count: gpus.length, gpu_memory: round(largest.memoryGb) }),
    cpu_count: cpus,
    memory: round(totalmem() / GB),
    ...(Number.isFinite(free) ? { free_space: round(free / GB) } : {}),
    // Windows has no load average: it says 0.
    ...(platform === 'win32' ? {} : { load: round((loadavg()[0] ?? 0) / cpus) }),
    platform,
    arch: arch(),
  };
}

interface Gpu {
  readonly name: string;
  readonly memoryGb: number;
}

/** Source: nvidia-smi(1), `--query-gpu`; memory is in MiB. */
async function nvidiaGpus(env: Environment): Promise<Gpu[]> {
  const nvidiaSmi = await findProgram('nvidia-smi', env.PATH);
  if (nvidiaSmi === undefined) return [];
  const query = ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'];
  const answer = await run(nvidiaSmi, query, { ...DRIVER_LIMITS, env: { PATH: env.PATH, LC_ALL: 'C' } }).catch(
    () => undefined,
  );
  const lines = answer?.stdout.split('\n').slice(0, MAX_GPUS) ?? [];
  return lines.flatMap((line): Gpu[] => {
    const [, name = '', mib = ''] = /^\s*(.{1,64}?)\s*,\s*(\d{1,9})\s*$/.exec(line) ?? [];
    return name === '' ? [] : [{ name, memoryGb: Number(mib) / 1024 }];
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
