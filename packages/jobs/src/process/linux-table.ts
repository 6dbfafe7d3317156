import { readdirSync, readFileSync } from 'node:fs';
import type { ProcessInfo, ProcessTable } from './types.ts';

/** Linux has counted in hundredths of a second for user programs since there were other clocks (time(7), USER_HZ). */
const TICKS_PER_SECOND = 100;

/**
 * The processes as /proc shows them. It is read synchronously: one file takes 10 microseconds so, and ten times as long
 * through the pool of threads.
 */
export const linuxTable: ProcessTable = {
  async read() {
    const found = new Map<number, ProcessInfo>();
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      const info = readProcess(pid);
      if (info !== undefined) found.set(pid, info);
    }
    return found;
  },
  async hasVariable(pid, variable) {
    const text = tryRead(`/proc/${pid}/environ`);
    return text !== undefined && `\0${text}`.includes(`\0${variable}\0`);
  },
  async ownMemoryBytes(pids) {
    let sum = 0;
    for (const pid of pids) sum += proportionalBytes(pid) ?? 0;
    return sum;
  },
};

/** See proc_pid_stat(5). The name is in brackets and may have any characters. */
function readProcess(pid: number): ProcessInfo | undefined {
  const text = tryRead(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const [nameStart, nameEnd] = [text.indexOf('('), text.lastIndexOf(')')];
  // From field 3 on.
  const fields = text.slice(nameEnd + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  const state = fields[0];
  return {
    pid,
    parent: field(4),
    group: field(5),
    started: fields[22 - 3] ?? '',
    name: text.slice(nameStart + 1, nameEnd),
    isZombie: state === 'Z' || state === 'X',
    cpuSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
    memoryBytes: field(24) * pageBytes(),
  };
}

let knownPageBytes: number | undefined;

/** Node does not tell the size of a page; its own memory is known in both units. */
function pageBytes(): number {
  if (knownPageBytes === undefined) {
    const pages = Number(tryRead('/proc/self/statm')?.split(' ')[1]);
    const ratio = process.memoryUsage.rss() / pages;
    knownPageBytes = Number.isFinite(ratio) ? 2 ** Math.round(Math.log2(ratio)) : 4096;
  }
  return knownPageBytes;
}

/** Pages that several processes share count for each of them in part. */
function proportionalBytes(pid: number): number | undefined {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(tryRead(`/proc/${pid}/smaps_rollup`) ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** A process may end at any moment, and may belong to another user. */
function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
