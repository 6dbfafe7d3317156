import { readFile } from 'node:fs/promises';

/** The kernel counts in ticks, a hundred of them a second on every machine that Node runs on. */
const TICKS_A_SECOND = 100;

/** The seconds that processors have spent on a process so far, its own work and the kernel's for it (Linux). */
export async function processorSeconds(pid: number): Promise<number> {
  return secondsIn(await readFile(`/proc/${pid}/stat`, 'utf8'));
}

/** @param stat - a `/proc/PID/stat`: the name of the program, in parentheses, may hold spaces; what follows it are numbers */
function secondsIn(stat: string): number {
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / TICKS_A_SECOND;
}
