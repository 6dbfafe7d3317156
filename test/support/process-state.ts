import { readdirSync, readFileSync } from 'node:fs';

/**
 * What a process and its children are doing, for the message of a test that waited for one in vain: state, processor time
 * and, for each thread, the system call and the place in the kernel that it waits in. Empty where there is no /proc.
 */
export function describeProcess(pid: number, indent = ''): string {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return '';
  const [state, ...numbers] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [userTicks, systemTicks] = numbers.slice(10, 12);
  const command = read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').slice(0, 200);
  const tasks = list(`/proc/${pid}/task`);
  return [
    `${indent}${pid} ${state}, ${userTicks} + ${systemTicks} ticks: ${command}`,
    ...tasks.map((task) => `${indent}  ${describeThread(`/proc/${pid}/task/${task}`)}`),
    ...tasks.flatMap((task) => childrenOf(pid, task)).map((child) => describeProcess(child, `${indent}    `)),
  ].join('\n');
}

function describeThread(folder: string): string {
  return ['comm', 'syscall', 'wchan'].map((file) => read(`${folder}/${file}`) ?? '?').join(' | ');
}

function childrenOf(pid: number, task: string): number[] {
  const children = read(`/proc/${pid}/task/${task}/children`) ?? '';
  return children.split(' ').filter(Boolean).map(Number);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // It ended, or the kernel keeps this from us.
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
