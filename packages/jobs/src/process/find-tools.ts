import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { bubblewrapProbe } from './bubblewrap.ts';
import type { SystemdTool, Tool, Tools } from './types.ts';

const run = promisify(execFile);
/** A manager of services that hangs is none. */
const PROBE_MS = 5_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Looks which of the programs for limits and confinement are here, and whether they work: containers forbid much of it. */
export async function findTools(env: Environment): Promise<Tools> {
  if (process.platform !== 'linux') {
    const none: Tool = { path: undefined, problem: 'It is there on Linux alone.' };
    return {
      bubblewrap: none,
      prlimit: none,
      taskset: none,
      nvidiaSmi: await findTool('nvidia-smi', env),
      systemdRun: none,
    };
  }
  const [bubblewrap, prlimit, taskset, nvidiaSmi, systemdRun] = await Promise.all([
    findWorking('bwrap', bubblewrapProbe(), 'Install bubblewrap (apt install bubblewrap).', env),
    findTool('prlimit', env),
    findTool('taskset', env),
    findTool('nvidia-smi', env),
    findSystemd(env),
  ]);
  return { bubblewrap, prlimit, taskset, nvidiaSmi, systemdRun };
}

/**
 * The absolute path of a program, looked up as a shell would.
 * @returns undefined when there is none, or it may not be run
 */
export async function findProgram(name: string, path: string | undefined): Promise<string | undefined> {
  if (isAbsolute(name)) return (await isProgram(name)) ? name : undefined;
  if (name.includes('/')) return undefined;
  for (const folder of (path ?? '').split(delimiter)) {
    // An empty or relative folder would mean a program of wherever the worker was started.
    if (isAbsolute(folder) && (await isProgram(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function findTool(name: string, env: Environment): Promise<Tool> {
  const path = await findProgram(name, env.PATH);
  return path === undefined ? { path, problem: `${name} is not installed.` } : { path, problem: undefined };
}

async function findWorking(name: string, args: readonly string[], advice: string, env: Environment): Promise<Tool> {
  const tool = await findTool(name, env);
  if (tool.path === undefined) return { path: undefined, problem: `${tool.problem} ${advice}` };
  const problem = await probe(tool.path, args, env);
  return problem === undefined ? tool : { path: undefined, problem: `${name} does not work here: ${problem}` };
}

async function findSystemd(env: Environment): Promise<Tools['systemdRun']> {
  const tool = await findTool('systemd-run', env);
  if (tool.path === undefined) return tool;
  const args = ['--scope', '--quiet', '--collect', process.getuid?.() === 0 ? '--system' : '--user'];
  // From version 254 on it can replace variables in arguments, which come from clients too.
  const version = Number(/^systemd (\d+)/.exec(await versionOf(tool.path, env))?.[1] ?? 0);
  const safe = version >= 254 ? [...args, '--expand-environment=no'] : args;
  const problem = await probe(tool.path, [...safe, '--', 'true'], env);
  if (problem !== undefined) return { path: undefined, problem: `systemd-run does not work here: ${problem}` };
  return { path: tool.path, problem: undefined, args: safe } satisfies SystemdTool;
}

async function versionOf(path: string, env: Environment): Promise<string> {
  return await run(path, ['--version'], { timeout: PROBE_MS, env }).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

/** @returns the last line of what it said when it failed */
async function probe(path: string, args: readonly string[], env: Environment): Promise<string | undefined> {
  try {
    await run(path, [...args], { timeout: PROBE_MS, env });
    return undefined;
  } catch (thrown) {
    const { stderr, message } = thrown as { readonly stderr?: string; readonly message: string };
    return (stderr?.trim().split('\n').at(-1) || message).slice(0, 300);
  }
}
