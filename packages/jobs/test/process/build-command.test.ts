import { describe, expect, it } from '@jest/globals';
import { buildCommand, type CommandParts } from '../../src/process/build-command.ts';
import type { Tool, Tools } from '../../src/process/types.ts';

const NONE: Tool = { path: undefined, problem: 'It is not here.' };
const NO_TOOLS: Tools = {
  bubblewrap: NONE,
  prlimit: NONE,
  taskset: NONE,
  nvidiaSmi: NONE,
  systemdRun: { path: undefined, problem: 'No.' },
};
const UNIX: Tools = { ...NO_TOOLS, prlimit: tool('prlimit'), taskset: tool('taskset'), bubblewrap: tool('bwrap') };
const SYSTEMD: Tools = {
  ...UNIX,
  systemdRun: { path: '/bin/systemd-run', problem: undefined, args: ['--scope', '--expand-environment=no'] },
};

function tool(name: string): Tool {
  return { path: `/bin/${name}`, problem: undefined };
}

const PARTS: CommandParts = {
  argv: ['/bin/run', '$HOME', '--x=a b'],
  limits: { timeMs: 1000, memoryBytes: 1e9, cpus: 1.5, outputBytes: 5e9 },
  confinement: undefined,
  unit: 'model-rtc-job-abc',
  allowedCpus: [2, 3, 6, 7],
};

describe('what a job starts', () => {
  it('is the program itself where there is nothing else', () => {
    expect(buildCommand(PARTS, NO_TOOLS)).toEqual(PARTS.argv);
  });

  it('has limits of single processes, and processors that this process may use', () => {
    expect(buildCommand(PARTS, UNIX)).toEqual([
      ...['/bin/prlimit', '--core=0', '--fsize=5000000000', '--data=1000000000'],
      ...['/bin/taskset', '--cpu-list', '2,3', ...PARTS.argv],
    ]);
  });

  it('has a control group with systemd, which replaces no variables in arguments', () => {
    expect(buildCommand(PARTS, SYSTEMD)).toEqual([
      ...['/bin/systemd-run', '--scope', '--expand-environment=no', '--unit=model-rtc-job-abc'],
      ...['--property', 'TasksMax=16384', '--property', 'MemoryMax=1000000000', '--property', 'MemorySwapMax=0'],
      ...['--property', 'CPUQuota=150%', '--', '/bin/prlimit', '--core=0', '--fsize=5000000000', ...PARTS.argv],
    ]);
  });

  it('is confined last, with its folders bound after those that are hidden', () => {
    const confinement = {
      ...{
        writable: ['/data/jobs/a/output'],
        readable: ['/data/models/m'],
        hidden: ['/data'],
        cwd: '/data/jobs/a/work',
      },
      ...{ temporary: '/data/jobs/a/work/tmp', devices: ['/dev/nvidia0'] },
    };
    const command = buildCommand(
      { ...PARTS, limits: { ...PARTS.limits, memoryBytes: undefined, cpus: 8 }, confinement },
      UNIX,
    );
    expect(command.slice(0, 4)).toEqual(['/bin/prlimit', '--core=0', '--fsize=5000000000', '/bin/bwrap']);
    expect(command.slice(-4)).toEqual(['--', ...PARTS.argv]);
    const text = command.join(' ');
    expect(text).toContain('--unshare-all --die-with-parent --new-session --ro-bind / /');
    expect(text).toMatch(
      /--tmpfs \/run .*--tmpfs \/data .*--ro-bind-try \/data\/models\/m .*--bind \/data\/jobs\/a\/output/,
    );
    expect(() => buildCommand({ ...PARTS, confinement }, NO_TOOLS)).toThrow('bubblewrap');
  });
});
