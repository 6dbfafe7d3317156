import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { makeRandomFile } from '../support/files.ts';
import { FIXTURES, importModel, openScene, startSignaling, startWorker } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab('after each');
/** What a shell does with the command's outputs. */
const shell = (redirection: string): string[] => ['bash', '-o', 'pipefail', '-c', `"$@" ${redirection}`, 'bash'];
/** As often as fits in a few seconds; a promise that nothing kept alive ended one of twenty of them with exit code 13. */
const STARTS = Number(process.env.MODEL_RTC_STARTS ?? 8);

describe('output that cannot be written', () => {
  it('ends a command with exit code 7 and one line when it is the result', async () => {
    const machine = await lab.machine('full', { prefix: shell('>/dev/full') });
    await importModel(await lab.machine('other', { home: machine.home }), join(FIXTURES, 'tiny-gguf'), 'tiny');
    for (const args of [['client', 'list-models'], ['client', 'list-models', '--json'], ['--help']]) {
      const { exitCode, stderr } = await machine.run(args);
      expect(stderr).toMatch(/^model-rtc: The work is done, but its result could not be written.*\n$/);
      expect(exitCode).toBe(7);
    }
  });

  it('leaves the exit code of a command that fails', async () => {
    for (const redirection of ['2>/dev/full', '2>&1 | true']) {
      const machine = await lab.machine('mute', { prefix: shell(redirection) });
      expect((await machine.run(['client', 'import-model', 'nowhere'])).exitCode).toBe(4);
    }
  });

  it('does not end the work of a command whose reader goes away', async () => {
    const scene = await openScene(lab);
    await importModel(scene.worker, join(FIXTURES, 'good-mouse-v1'), 'mouse');
    const client = await scene.client('laptop');
    const home = client.home;
    const piped = await lab.machine('piped', {
      home,
      env: { MODEL_RTC_SESSION: scene.session },
      prefix: shell('| true'),
    });
    expect((await piped.run(['client', 'pull-model', 'mouse', '--json'])).exitCode).toBe(0);
    expect((await client.succeed(['client', 'verify', 'mouse', '--json'])).stdout).toContain('mouse');
  });

  it('never ends a worker', async () => {
    const { url } = await startSignaling(lab);
    const worker = await lab.machine('worker', { prefix: ['bash', '-c', 'exec "$@" 2>/dev/full', 'bash'] });
    const { process, session } = await startWorker(worker, url, ['-v']);
    const client = await lab.machine('laptop', { env: { MODEL_RTC_SESSION: session } });
    for (let again = 0; again < 3; again++) await client.succeed(['worker', 'list-models', '--session', session]);
    await process.kill('SIGINT');
    expect((await process.exited).exitCode).toBe(0);
  });
});

describe('a session that goes to a file', () => {
  it('is printed nowhere, and the file is named', async () => {
    const { url } = await startSignaling(lab);
    const machine = await lab.machine('worker');
    const file = join(machine.folder, 'session.txt');
    for (const more of [[], ['--json']]) {
      const worker = machine.start(['worker', '--signaling', url, '--token-file', file, '-v', ...more]);
      await worker.waitForStderr('After a restart the same session works again');
      const token = (await readFile(file, 'utf8')).trim();
      const { stdout, stderr } = await worker.kill();
      expect(token).toMatch(/^mrtc1_/);
      expect(stdout + stderr).not.toContain(token);
      expect(stderr).toContain(`This worker's session is in ${file}`);
      expect(more.length === 0 ? stdout : JSON.parse(stdout)).toEqual(
        more.length === 0 ? '' : expect.objectContaining({ tokenFile: file }),
      );
    }
    const created = await machine.succeed(['worker', 'sessions', 'create', '--token-file', file, '--json']);
    expect(created.stdout).not.toContain((await readFile(file, 'utf8')).trim());
  });
});

describe('a user without a home folder', () => {
  it('can use everything with MODEL_RTC_HOME, and is told so without', async () => {
    const machine = await lab.machine('container');
    const elsewhere = { HOME: '', MODEL_RTC_HOME: '' };
    const refused = await machine.run(['client', 'list-models'], { env: elsewhere });
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Set MODEL_RTC_HOME') });
    expect((await machine.run(['--help'], { env: elsewhere })).exitCode).toBe(0);
    // Nothing lies where the command was started.
    expect(await readdir(machine.folder)).toEqual([]);
    await machine.succeed(['client', 'list-models'], { env: { HOME: '' } });
  });
});

describe('machines with a limit on address space, as login nodes have', () => {
  it('share models', async () => {
    const limited = ['bash', '-c', 'ulimit -v 8000000; exec "$@"', 'bash'];
    const { url } = await startSignaling(lab);
    const worker = await lab.machine('login-node', { prefix: limited });
    await importModel(worker, join(FIXTURES, 'good-mouse-v1'), 'mouse');
    const { session } = await startWorker(worker, url);
    const env = { MODEL_RTC_SESSION: session };
    const client = await lab.machine('another', { prefix: limited, env });
    await client.succeed(['client', 'pull-model', 'mouse', '--lane', 'webrtc']);
    await client.succeed(['client', 'verify', 'mouse']);
  });
});

describe('limits on files', () => {
  const limited = (limit: string): string[] => ['bash', '-c', `ulimit ${limit}; exec "$@"`, 'bash'];

  it('are named when too few may be open', async () => {
    const machine = await lab.machine('few', { prefix: limited('-n 23') });
    const { exitCode, stderr } = await machine.run(['client', 'list-models']);
    expect(stderr).toMatch(/^model-rtc: EMFILE.*ulimit -n 4096.*\n$/);
    expect(exitCode).toBe(7);
  });

  it('are named when files may not be as large as the model, wherever it comes from', async () => {
    const scene = await openScene(lab);
    const folder = await lab.folder();
    const original = join(folder, 'weights.bin');
    await writeFile(original, randomBytes(3_000_000));
    await importModel(scene.worker, original, 'large');
    const machine = await lab.machine('small-files', {
      env: { MODEL_RTC_SESSION: scene.session },
      prefix: limited('-f 1000'),
    });
    for (const args of [
      ['client', 'pull-model', 'large'],
      ['client', 'import-model', original, '--copy'],
    ]) {
      const { exitCode, stderr } = await machine.run(args);
      expect(stderr).toMatch(/larger than is allowed here \(EFBIG\)\. Raise the limit \(ulimit -f\)/);
      expect(stderr).not.toContain('disk is full');
      expect(exitCode).toBe(7);
    }
  });

  it('of a worker are in its log, and its client is told to look there', async () => {
    const { url } = await startSignaling(lab);
    const worker = await lab.machine('worker', { prefix: limited('-f 1000') });
    const { process, session } = await startWorker(worker, url);
    const client = await lab.machine('laptop', { env: { MODEL_RTC_SESSION: session } });
    const original = join(await lab.folder(), 'weights.bin');
    await writeFile(original, randomBytes(3_000_000));
    await importModel(client, original, 'large');
    const pushed = await client.run(['client', 'push-model', 'large']);
    expect(pushed).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('Its log says which, and why') });
    await process.kill('SIGINT');
    expect((await process.exited).stderr).toMatch(/warning: A client's request failed: .*ulimit -f/);
  });
});

describe('a long command that is interrupted', () => {
  it('ends in order each time, and leaves no lock', async () => {
    const { url } = await startSignaling(lab);
    const worker = await lab.machine('worker');
    for (let start = 0; start < STARTS; start++) {
      const { process } = await startWorker(worker, url, ['--watch', await lab.folder()]);
      await process.kill('SIGINT');
      expect(await process.exited).toMatchObject({ exitCode: 0, signal: undefined });
      expect((await readdir(worker.home)).filter((name) => name.includes('lock'))).toEqual([]);
    }
    for (let start = 0; start < STARTS; start++) {
      const signaling = await startSignaling(lab);
      await signaling.process.kill('SIGTERM');
      expect(await signaling.process.exited).toMatchObject({ exitCode: 0, signal: undefined });
    }
  });
});

describe('a read that never returns', () => {
  it('is not begun on a pipe or a device', async () => {
    const machine = await lab.machine('laptop');
    const pipe = join(machine.folder, 'pipe');
    await execa('mkfifo', [pipe]);
    const model = join(machine.folder, 'model');
    await importModel(machine, join(FIXTURES, 'tiny-gguf'), 'tiny');
    for (const special of [pipe, '/dev/zero', '/dev/tty']) {
      for (const args of [
        ['client', 'import-model', special, '-y'],
        ['worker', 'list-models', '--session', `@${special}`],
        ['client', 'pull-model', 'tiny', '--worker', `@${special}`],
        ['client', 'workers', 'add', 'lab', `@${special}`],
      ]) {
        expect({ args, ...(await machine.run(args)) }).toMatchObject({ args, exitCode: 2, signal: undefined });
      }
    }
    expect(await readdir(machine.folder)).not.toContain(model);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with a second %s', async (signal) => {
    const machine = await lab.machine('laptop');
    const pipe = join(machine.folder, 'pipe');
    await execa('mkfifo', [pipe]);
    // What a dead network disk does to it: all threads that read files wait.
    const command = machine.start(['worker', '--signaling', 'ws://127.0.0.1:9'], {
      env: { NODE_OPTIONS: `--import=${hangingRead(pipe)}` },
    });
    await command.waitForStderr('a read hangs');
    process.kill(command.pid, signal);
    // Longer than one press may count twice.
    await sleep(500);
    process.kill(command.pid, signal);
    expect(await command.exited).toMatchObject({ signal });
  });

  it('that belongs to a transfer is told how it goes on when the terminal is closed', async () => {
    const scene = await openScene(lab);
    const folder = join(await lab.folder(), 'model');
    await makeRandomFile(join(folder, 'weights.msgpack'), 60_000_000);
    await importModel(scene.worker, folder, 'big');
    const client = await scene.client('laptop');
    const pull = client.start(['client', 'pull-model', 'big', '--limit', '5MB']);
    await pull.waitForStderr(/transferring +[1-9]/);
    const { exitCode, stderr } = await pull.kill('SIGHUP');
    expect(stderr).toMatch(/run the same command again to resume/);
    expect(exitCode).toBe(130);
  });
});

/** A module that opens a pipe which nobody writes to, more often than there are threads for it, once the command hears signals. */
function hangingRead(pipe: string): string {
  const code = `import { open } from 'node:fs';
    const looking = setInterval(() => {
      if (process.listenerCount('SIGTERM') === 0) return;
      clearInterval(looking);
      for (let i = 0; i < 8; i++) open(${JSON.stringify(pipe)}, 'r', () => {});
      console.error('a read hangs');
    }, 5);`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
