import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ProcessInfo, ProcessTable } from './types.ts';

const run = promisify(execFile);
/** Ten thousand processes take 1 MB. */
const MAX_PS_BYTES = 16 * 1024 * 1024;

/** The processes as ps tells them (POSIX, and `stat`, which macOS and the BSDs have), for systems without /proc. */
export const psTable: ProcessTable = {
  async read() {
    const columns = ['-A', '-o', 'pid=,ppid=,pgid=,rss=,stat=,time=,comm='];
    const { stdout } = await run('ps', columns, {
      maxBuffer: MAX_PS_BYTES,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    });
    const found = new Map<number, ProcessInfo>();
    for (const line of stdout.split('\n')) {
      const info = parseLine(line);
      if (info !== undefined) found.set(info.pid, info);
    }
    return found;
  },
  async hasVariable(pid, variable) {
    const { stdout } = await run('ps', ['-E', '-ww', '-o', 'command=', '-p', String(pid)]).catch(() => ({
      stdout: '',
    }));
    return ` ${stdout.trimEnd()} `.includes(` ${variable} `);
  },
  async ownMemoryBytes() {
    return undefined;
  },
};

function parseLine(line: string): ProcessInfo | undefined {
  const [, pid, parent, group, rss, state, time, name] =
    /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+([\d:.-]+)\s+(.*)$/.exec(line) ?? [];
  if (pid === undefined || time === undefined) return undefined;
  return {
    ...{ pid: Number(pid), parent: Number(parent), group: Number(group), started: '' },
    name: (name ?? '').split('/').at(-1) ?? '',
    isZombie: state?.startsWith('Z') === true,
    cpuSeconds: parseTime(time),
    memoryBytes: Number(rss) * 1024,
  };
}

/** `[[days-]hours:]minutes:seconds`. */
function parseTime(text: string): number {
  const [days, rest] = text.includes('-') ? text.split('-') : ['0', text];
  const seconds = (rest ?? '').split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number(days) * 86_400 + seconds;
}
