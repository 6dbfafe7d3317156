import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createLab } from '../support/lab.ts';
import type { Machine } from '../support/machine.ts';
import { errorOf } from '../support/scene.ts';

interface Listed {
  readonly name: string;
  readonly origin: string;
  readonly runner: Record<string, unknown>;
  readonly usable: boolean;
  readonly reason?: string;
}

async function list(machine: Machine): Promise<readonly Listed[]> {
  return (await machine.succeed(['worker', 'runners', 'list', '--json'])).json<{ runners: Listed[] }>().runners;
}

async function write(machine: Machine, runner: unknown): Promise<string> {
  const path = join(machine.folder, 'runner.json');
  await writeFile(path, typeof runner === 'string' ? runner : JSON.stringify(runner));
  return path;
}

const COUNT = {
  name: 'count',
  args: [process.execPath, '-e', '1', '{inputs}', ['--every', '{set.every}'], '{output}'],
  types: ['onnx'],
  set: { every: { type: 'integer', min: 1, max: 9, default: 3 } },
  limits: { time: '2h', memory: '1GB' },
};

describe('the runners of a worker', () => {
  it('are those that were found, each with why it cannot run, and onnx works', async () => {
    await using lab = createLab();
    const machine = await lab.machine('gpu');
    const found = await list(machine);
    expect(found.map(({ name }) => name)).toEqual(['onnx', 'sleap-nn', 'sleap', 'ultralytics', 'llama-cli']);
    expect(found[0]).toMatchObject({ origin: 'preset', usable: true, runner: { name: 'onnx', types: ['onnx'] } });
    const { stdout } = await machine.succeed(['worker', 'runners', 'list']);
    for (const { name, usable, reason } of found) if (!usable) expect(stdout).toContain(`${name}: ${reason}`);
    const tried = await machine.succeed(['worker', 'runners', 'test', 'onnx']);
    expect(tried.stdout).toContain('The runner onnx works: it ran a tiny model, with the right result.');
  });

  it('are added as JSON, given back so that they can be added again, and removed', async () => {
    await using lab = createLab();
    const machine = await lab.machine('gpu');
    const added = await machine.succeed(['worker', 'runners', 'add', await write(machine, COUNT)]);
    expect(added.stdout).toBe('Added the runner count. A running worker takes it at once.\n');
    const [count] = await list(machine);
    expect(count).toMatchObject({ name: 'count', origin: 'owner', usable: true, runner: { limits: { time: 7200 } } });
    const again = ['worker', 'runners', 'add', await write(machine, count?.runner), '--json'];
    expect((await machine.succeed(again)).json()).toEqual({ runner: count?.runner, replaced: true, usable: true });
    const { stdout } = await machine.succeed(['worker', 'runners', 'test', 'count']);
    expect(stdout).toContain(`  ${process.execPath}\n    -e\n    1\n    DATA\n    --every\n    3\n    OUTPUT\n`);
    await machine.succeed(['worker', 'runners', 'remove', 'count']);
    expect(await list(machine)).toHaveLength(5);
    expect(await machine.run(['worker', 'runners', 'remove', 'count'])).toMatchObject({ exitCode: 4 });
  });

  it('take the place of one of the same name that was found, until they are removed', async () => {
    await using lab = createLab();
    const machine = await lab.machine('gpu');
    const [onnx] = await list(machine);
    await machine.succeed(['worker', 'runners', 'add', await write(machine, { ...onnx?.runner, concurrency: 2 })]);
    expect((await list(machine))[0]).toMatchObject({ name: 'onnx', origin: 'owner', runner: { concurrency: 2 } });
    expect((await machine.succeed(['worker', 'runners', 'test', 'onnx'])).stdout).toContain(
      'works: it ran a tiny model',
    );
    const removed = await machine.succeed(['worker', 'runners', 'remove', 'onnx']);
    expect(removed.stdout).toMatch(/The one of this name that was found on this machine takes its place/);
    const refused = await machine.run(['worker', 'runners', 'remove', 'onnx', '--json']);
    expect(errorOf(refused).message).toBe(
      'onnx was found on this machine, so it cannot be removed. To change it, add a runner of the same name.',
    );
  });

  it('that are broken are refused with what is wrong, and those that cannot run say why', async () => {
    await using lab = createLab();
    const machine = await lab.machine('gpu');
    const cases: [unknown, RegExp][] = [
      ['{"name":', /is no JSON/],
      [{ ...COUNT, args: ['{input}'] }, /args: the program itself cannot be a placeholder/],
      [{ ...COUNT, args: ['x', '{set.evry}'] }, /\{set\.evry\} is no placeholder/],
      [{ ...COUNT, confined: true }, /confined/],
      [{ ...COUNT, set: { every: { type: 'integer', default: 'many' } } }, /every/],
    ];
    for (const [runner, message] of cases) {
      const refused = await machine.run(['worker', 'runners', 'add', await write(machine, runner), '--json']);
      expect([refused.exitCode, errorOf(refused).message]).toEqual([2, expect.stringMatching(message)]);
    }
    const missing = await machine.run(['worker', 'runners', 'add', join(machine.folder, 'nothing.json')]);
    expect([missing.exitCode, missing.stderr]).toEqual([2, expect.stringContaining('There is no JSON file')]);
    const gone = await write(machine, { ...COUNT, args: ['/nowhere/count'] });
    expect((await machine.succeed(['worker', 'runners', 'add', gone])).stderr).toMatch(
      /It cannot run yet: The program \/nowhere\/count is not there/,
    );
    const tried = await machine.run(['worker', 'runners', 'test', 'count']);
    expect([tried.exitCode, tried.stderr]).toEqual([1, expect.stringContaining('The runner count does not work: ')]);
  });

  it('keep no worker from serving models when their file is damaged', async () => {
    await using lab = createLab();
    const machine = await lab.machine('gpu');
    await mkdir(machine.home, { mode: 0o700 });
    await writeFile(join(machine.home, 'runners.json'), '{"version":1,');
    const worker = machine.start(['worker', '--json', '--token-file', 'session', '--port', '0']);
    await worker.waitForStderr(/Nobody can run models here: .*runners\.json is damaged/);
    await worker.waitForStderr('Ctrl+C stops the worker.');
    expect((await machine.run(['worker', 'list-models', '--session', '@session'])).exitCode).toBe(0);
    const refused = await machine.run(['worker', 'runners', 'list']);
    expect([refused.exitCode, refused.stderr]).toEqual([7, expect.stringContaining('is damaged')]);
  });
});
