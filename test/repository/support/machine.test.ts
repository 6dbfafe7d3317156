import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createLab } from '../../support/lab.ts';
import { type Machine, machineEnvironment } from '../../support/machine.ts';
import { useLab } from '../../support/suites.ts';

/** A stand-in for the command line: says what it was given, then does as its first argument tells. */
const PROGRAM = `
const [what, ...rest] = process.argv.slice(2);
if (what === 'echo') process.stdout.write(JSON.stringify({ rest, home: process.env.MODEL_RTC_HOME, cwd: process.cwd() }));
if (what === 'fail') { process.stderr.write('went wrong\\n'); process.exitCode = 3; }
if (what === 'lines') process.stdout.write('{"n":1}\\n\\n{"n":2}\\n');
if (what === 'serve') {
  process.on('SIGINT', () => { process.stderr.write('interrupted\\n'); process.exit(130); });
  process.stdout.write('token ');
  setTimeout(() => process.stdout.write('mrtc1_abc\\n'), 20);
  setInterval(() => {}, 1000);
}
`;

const lab = useLab();

async function machine(): Promise<Machine> {
  const script = join(await lab.folder(), 'program.mjs');
  await writeFile(script, PROGRAM);
  return await lab.machine('laptop', { program: [process.execPath, script] });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a machine', () => {
  it('runs a command in its own folder with its own data folder, and reads its JSON', async () => {
    const laptop = await machine();
    const result = await laptop.succeed(['echo', 'a b', '--json']);
    expect(result.exitCode).toBe(0);
    expect(result.json()).toEqual({ rest: ['a b', '--json'], home: laptop.home, cwd: laptop.folder });
  });

  it('gives a failure as a result, and as an error with the output where success is asked for', async () => {
    const laptop = await machine();
    expect(await laptop.run(['fail'])).toMatchObject({ exitCode: 3, stderr: 'went wrong\n' });
    await expect(laptop.succeed(['fail'])).rejects.toThrow(/fail on laptop ended with 3[\s\S]*went wrong/);
  });

  it('reads one JSON value a line, and shows the text that is none', async () => {
    const laptop = await machine();
    const lines = await laptop.run(['lines']);
    expect(lines.jsonLines()).toEqual([{ n: 1 }, { n: 2 }]);
    expect(lines.json()).toEqual({ n: 2 });
    const text = await laptop.run(['fail']);
    expect(() => text.json()).toThrow(/Not JSON/);
  });

  it('waits for output that comes in pieces, and finds what has already come', async () => {
    const running = (await machine()).start(['serve']);
    const match = await running.waitForStdout(/token (\S+)\n/);
    expect(match[1]).toBe('mrtc1_abc');
    expect((await running.waitForStdout('mrtc1_'))[0]).toBe('mrtc1_');
    await running.kill('SIGKILL');
  });

  it('tells the signal or the exit code of a process that was stopped', async () => {
    const laptop = await machine();
    const killed = laptop.start(['serve']);
    await killed.waitForStdout('token');
    expect(await killed.kill('SIGKILL')).toMatchObject({ exitCode: undefined, signal: 'SIGKILL' });
    const interrupted = laptop.start(['serve']);
    await interrupted.waitForStdout('token');
    expect(await interrupted.kill('SIGINT')).toMatchObject({ exitCode: 130, stderr: 'interrupted\n' });
  });

  it('fails a wait, with the output, when the process ends or the time is over', async () => {
    const laptop = await machine();
    await expect(laptop.start(['fail']).waitForStdout('token')).rejects.toThrow(/it ended with 3[\s\S]*went wrong/);
    const running = laptop.start(['serve']);
    await expect(running.waitForStderr('never', { timeoutMs: 10 })).rejects.toThrow(/waited 10 ms/);
  });
});

describe('a lab', () => {
  it('leaves no process and no folder behind', async () => {
    const own = createLab();
    const script = join(await own.folder(), 'program.mjs');
    await writeFile(script, PROGRAM);
    const laptop = await own.machine('laptop', { program: [process.execPath, script] });
    const running = laptop.start(['serve']);
    await running.waitForStdout('token');
    await own[Symbol.asyncDispose]();
    expect(isRunning(running.pid)).toBe(false);
    expect(existsSync(laptop.folder)).toBe(false);
  });

  it('clears the rest away when one thing cannot be, and tells of it', async () => {
    const own = createLab();
    const folder = await own.folder();
    own.onEnd(() => Promise.reject(new Error('stuck')));
    await expect(own[Symbol.asyncDispose]()).rejects.toThrow('could not be cleared away');
    expect(existsSync(folder)).toBe(false);
  });
});

describe('machineEnvironment', () => {
  it('keeps the settings of the person who runs the tests away from the commands', () => {
    const inherited = {
      PATH: '/bin',
      MODEL_RTC_SESSION: 's',
      NODE_OPTIONS: '--no-warnings',
      XDG_DATA_HOME: '/x',
      npm_config_x: '1',
    };
    expect(machineEnvironment(inherited, { folder: '/m', home: '/m/home', env: { MODEL_RTC_LOG: 'debug' } })).toEqual({
      PATH: '/bin',
      NO_COLOR: '1',
      HOME: '/m',
      MODEL_RTC_HOME: '/m/home',
      MODEL_RTC_LOG: 'debug',
    });
  });
});
