import { MAX_PROCESSES } from '../limits.ts';
import { bubblewrapArgs, type Confinement } from './bubblewrap.ts';
import type { ResourceLimits, Tools } from './types.ts';

export interface CommandParts {
  /** The absolute path of the runner's program, and its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly limits: ResourceLimits;
  readonly confinement: Confinement | undefined;
  /** A name for what systemd starts: letters, digits and dashes. */
  readonly unit: string;
  /** The processors that this process may use. */
  readonly allowedCpus: readonly number[];
}

/**
 * The program, started through the tools that limit and confine it; each tool replaces itself with the next one. Where there is
 * systemd, it sets the limits of a control group. Elsewhere prlimit limits single processes, and taskset the processors. Bubblewrap
 * is last, since what it starts has no way back.
 * @param tools what there is; a confined job must not come here without bubblewrap
 */
export function buildCommand(parts: CommandParts, tools: Tools): [string, ...string[]] {
  const { argv, limits, confinement } = parts;
  const before = [...systemdArgs(parts, tools), ...prlimitArgs(limits, tools), ...tasksetArgs(parts, tools)];
  const confined = confinement === undefined ? [] : [required(tools.bubblewrap.path), ...bubblewrapArgs(confinement)];
  return [...before, ...confined, ...argv] as [string, ...string[]];
}

function required(path: string | undefined): string {
  if (path === undefined) throw new Error('a confined job needs bubblewrap');
  return path;
}

function systemdArgs({ limits: { memoryBytes, cpus }, unit }: CommandParts, { systemdRun }: Tools): string[] {
  if (systemdRun.path === undefined) return [];
  const properties = [
    `TasksMax=${MAX_PROCESSES * THREADS_PER_PROCESS}`,
    // Without the second, the first would fill the swap.
    ...(memoryBytes === undefined ? [] : [`MemoryMax=${memoryBytes}`, 'MemorySwapMax=0']),
    ...(cpus === undefined ? [] : [`CPUQuota=${Math.ceil(cpus * 100)}%`]),
  ];
  const named = properties.flatMap((property) => ['--property', property]);
  return [systemdRun.path, ...systemdRun.args, `--unit=${unit}`, ...named, '--'];
}

/** systemd counts threads, and numeric libraries start one for each processor. */
const THREADS_PER_PROCESS = 16;

/**
 * Limits the data of one process, not its address space: GPU drivers reserve terabytes of addresses. The job's memory as a whole is
 * measured; this limit stops a single allocation that is too large.
 */
function prlimitArgs({ memoryBytes, outputBytes }: ResourceLimits, { prlimit, systemdRun }: Tools): string[] {
  if (prlimit.path === undefined) return [];
  const isMemoryHere = memoryBytes !== undefined && systemdRun.path === undefined;
  const data = isMemoryHere ? [`--data=${memoryBytes}`] : [];
  return [prlimit.path, '--core=0', `--fsize=${outputBytes}`, ...data];
}

function tasksetArgs({ limits: { cpus }, allowedCpus }: CommandParts, { taskset, systemdRun }: Tools): string[] {
  if (taskset.path === undefined || cpus === undefined || systemdRun.path !== undefined) return [];
  const count = Math.ceil(cpus);
  if (count >= allowedCpus.length) return [];
  return [taskset.path, '--cpu-list', allowedCpus.slice(0, count).join(',')];
}
