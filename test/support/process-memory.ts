import { readFile } from 'node:fs/promises';

/** The most resident memory that a process has had so far, from the kernel's books (Linux). */
export async function peakMemoryBytes(pid: number): Promise<number> {
  return peakOf(await readFile(`/proc/${pid}/status`, 'utf8'));
}

/** The resident memory that a process has now (Linux). */
export async function residentMemoryBytes(pid: number): Promise<number> {
  return memoryOf(await readFile(`/proc/${pid}/status`, 'utf8'), 'VmRSS');
}

export function peakOf(status: string): number {
  return memoryOf(status, 'VmHWM');
}

/** A line of a `/proc/PID/status`; the kernel calls its KiB "kB". */
function memoryOf(status: string, name: string): number {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`No ${name} in the status of the process:\n${status}`);
  return Number(kibibytes) * 1024;
}
