import { readFileSync } from 'node:fs';
import { execa } from 'execa';

const PREFIX = 'mrtc';
let made = 0;

/**
 * Makes a network namespace with a name that no other test has. The name says which process made it, so that the next run
 * can tell the leftovers of a killed one from what is in use.
 *
 * @returns its name, for `ip netns exec NAME`
 */
export async function addNamespace(): Promise<string> {
  made += 1;
  const name = [PREFIX, process.pid, startOf(process.pid), made].join('-');
  await execa('ip', ['netns', 'add', name]);
  await execa('ip', ['netns', 'exec', name, 'ip', 'link', 'set', 'lo', 'up']);
  return name;
}

/** Removes a namespace and kills what still runs in it: a process keeps its namespace, and would go on in it. */
export async function deleteNamespace(name: string): Promise<void> {
  const { stdout } = await execa('ip', ['netns', 'pids', name]);
  for (const pid of stdout.split('\n').filter((line) => line !== '')) kill(Number(pid));
  await execa('ip', ['netns', 'delete', name]);
}

/** Removes the namespaces of test processes that were killed before they could do it. */
export async function deleteLeftoverNamespaces(): Promise<void> {
  const { stdout } = await execa('ip', ['-json', 'netns', 'list']);
  const all = (stdout === '' ? [] : JSON.parse(stdout)) as { readonly name: string }[];
  const leftover = all.map(({ name }) => name).filter((name) => isLeftover(name));
  // Another run may be removing them at this moment.
  await Promise.all(leftover.map((name) => deleteNamespace(name).catch(() => undefined)));
}

function isLeftover(name: string): boolean {
  const [prefix, pid, start] = name.split('-');
  return prefix === PREFIX && start !== undefined && startOf(Number(pid)) !== start;
}

/** When a process was started, in the kernel's ticks: with its id it names one process for ever. Undefined if there is none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold spaces; what follows it are numbers.
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .at(19);
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
