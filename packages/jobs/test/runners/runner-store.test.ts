import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { parseRunner, RunnerStore } from '@model-rtc/jobs';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';

const FULL = {
  name: 'yolo',
  description: 'Detects things',
  args: ['yolo', 'predict', 'model={checkpoint}', 'source={input}', ['conf={set.conf}']],
  types: ['detect'],
  inputs: ['.mp4', '.tar.gz'],
  env: { YOLO_VERBOSE: 'true' },
  cwd: '/srv',
  limits: { time: '2h', memory: '8GB', cpu: 2, output: '1GiB' },
  concurrency: 2,
  set: { conf: { type: 'number', min: 0, max: 1, default: 0.25 }, half: { type: 'boolean', flag: 'half=True' } },
  progress: '(\\d+)/(\\d+)',
  allowUnsafeModels: true,
  confine: true,
  resume: ['yolo', 'train', 'resume=True', 'model={checkpoint}'],
};

describe('a runner', () => {
  it('is read with its sizes in bytes and times in seconds, and what was read can be read again', () => {
    const runner = parseRunner(FULL);
    expect(runner.limits).toEqual({ time: 7200, memory: 8e9, cpu: 2, output: 1024 ** 3 });
    expect(parseRunner(JSON.parse(JSON.stringify(runner)))).toEqual(runner);
  });

  it.each([
    [{ shell: true }, 'shell'],
    [{ limits: { tiem: '2h' } }, 'tiem'],
    [{ limits: { time: 'soon' } }, 'limits.time: expected a time, such as 90s'],
    [{ limits: { memory: '8 quintals' } }, 'limits.memory: expected a size'],
    [{ name: '../x' }, 'name'],
    [{ args: 'yolo predict' }, 'args'],
    [{ cwd: 'relative' }, 'absolute'],
    [{ env: { 'A=B': 'c' } }, 'env'],
    [{ inputs: ['mp4'] }, 'inputs'],
    [{ progress: '(?=x)' }, 'bounded time'],
    [{ set: { conf: { type: 'string', pattern: '(' } } }, 'bounded time'],
    [{ set: { conf: { type: 'number', max: 1, default: 2 } } }, 'set.conf.default: it must be at most 1'],
  ])('with %j is refused, and the field is named', (change, named) => {
    expect(() => parseRunner({ ...FULL, ...change })).toThrow(named);
  });
});

describe('the runners of a machine', () => {
  it('are kept in a file of their owner alone, and each is replaced by one of its name', async () => {
    const store = new RunnerStore(await temporaryFolder());
    expect(await store.list()).toEqual([]);
    expect(await store.put(parseRunner(FULL))).toBe(false);
    expect(await store.put(parseRunner({ name: 'other', args: ['true'] }))).toBe(false);
    expect(await store.put(parseRunner({ ...FULL, description: 'New' }))).toBe(true);
    expect((await stat(store.path)).mode & 0o777).toBe(0o600);
    const runners = await store.list();
    expect(runners.map(({ name, runner }) => [name, runner?.description])).toEqual([
      ['other', undefined],
      ['yolo', 'New'],
    ]);
    expect(await store.remove('yolo')).toBe(true);
    expect(await store.remove('yolo')).toBe(false);
  });

  it('are seen at once when another process changes them', async () => {
    const root = await temporaryFolder();
    const [here, there] = [new RunnerStore(root), new RunnerStore(root)];
    expect(await here.list()).toEqual([]);
    await there.put(parseRunner(FULL));
    expect((await here.list()).map(({ name }) => name)).toEqual(['yolo']);
  });

  it('are all there when many are added at once', async () => {
    const store = new RunnerStore(await temporaryFolder());
    const names = Array.from({ length: 20 }, (_, number) => `r${number}`);
    await Promise.all(names.map((name) => store.put(parseRunner({ name, args: ['true'] }))));
    expect((await store.list()).map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  it('are listed with what is wrong where somebody broke one', async () => {
    const store = new RunnerStore(await temporaryFolder());
    const runners = [{ name: 'good', args: ['true'] }, { name: 'bad', args: ['{model}'] }, 7];
    await writeFile(store.path, JSON.stringify({ version: 1, runners }));
    expect(await store.list()).toMatchObject([
      { name: 'good', problem: undefined },
      { name: 'bad', problem: expect.stringContaining('clients would choose it') },
      { name: '?', problem: expect.any(String) },
    ]);
    // And adding one loses none of them.
    await store.put(parseRunner({ name: 'new', args: ['true'] }));
    expect(JSON.parse(await readFile(store.path, 'utf8')).runners).toHaveLength(4);
  });

  it('are never replaced by none: a damaged file is named, and kept', async () => {
    const store = new RunnerStore(await temporaryFolder());
    await writeFile(store.path, '{"version": 1, "runners": [');
    const error = await rejection(store.list());
    expect([error.code, error.message]).toEqual(['storage', expect.stringContaining('is damaged')]);
    expect((await rejection(store.put(parseRunner(FULL)))).code).toBe('storage');
    expect(await readFile(store.path, 'utf8')).toBe('{"version": 1, "runners": [');
  });
});
