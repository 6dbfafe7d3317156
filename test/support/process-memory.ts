import { readFile } from 'node:fs/promises';

/** The most resident memory that a process has had so far, from the kernel's books (Linux). */
export async function peakMemoryBytes(pid: number): Promise<number> {
  return peakOf(await readFile(`/proc/${pid}/status`, 'utf8'));
}

/** VmHWM of a `/proc/PID/status`; the kernel calls its KiB "kB". */
export function peakOf(status: string): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`No VmHWM in the status of the process:\n${status}`);
  return Number(kibibytes) * 1024;
}
