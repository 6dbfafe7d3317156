import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { forwardPass, parseRunner, RunnerStore } from '@model-rtc/jobs';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { JobModel } from '../../src/types.ts';

async function machine(runner?: object) {
  const root = await temporaryFolder();
  const folder = join(root, 'model');
  await mkdir(folder);
  const checkpoint = join(folder, 'w.safetensors');
  await writeFile(checkpoint, 'weights');
  if (runner !== undefined) await new RunnerStore(root).put(parseRunner(runner));
  const model: JobModel = {
    ...{ digest: undefined, id: 'a1', alias: 'mouse', modelType: 'llama', framework: 'hub' },
    ...{ folder, checkpoint, config: undefined, codeFiles: [] },
  };
  return { root, model, run: (more: Partial<JobModel> = {}) => forwardPass({ ...model, ...more }, options(root)) };
}

function options(root: string) {
  return { root, env: { PATH: process.env.PATH, HOME: root }, signal: undefined };
}

const SH = (script: string) => ({
  name: 'look',
  args: ['/bin/sh', '-c', script, 'look', '{checkpoint}'],
  validates: true,
});

describe('running a model once', () => {
  it('takes the runner that the owner declared for it, with what it says last', async () => {
    const { run } = await machine(SH('echo first; echo "saw $(cat "$1")"'));
    expect(await run()).toEqual({ check: 'forward', outcome: 'passed', detail: 'saw weights' });
  });

  it('fails where that fails, and leaves nothing behind', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('model-rtc-validate-'));
    const { run } = await machine(SH('echo "the loss is NaN" >&2; exit 4'));
    expect(await run()).toEqual({ check: 'forward', outcome: 'failed', detail: 'look: the loss is NaN' });
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('model-rtc-validate-'))).toEqual(before);
  });

  it.each([
    ['does not validate', { name: 'look', args: ['/bin/true'] }, /No runner of this machine validates models of llama/],
    ['takes other models', { ...SH('true'), types: ['bert'] }, /No runner of this machine validates/],
    ['is not there', { name: 'look', args: ['/no/such/program'], validates: true }, /\/no\/such\/program is not there/],
  ])('is skipped with the reason where a runner %s', async (_, runner, detail) => {
    const { run } = await machine(runner);
    expect(await run()).toMatchObject({ outcome: 'skipped', detail: expect.stringMatching(detail) });
  });

  it('runs no code of a model, unless the runner allows it', async () => {
    const code = { codeFiles: [{ path: 'w.pt' }] };
    expect(await (await machine(SH('true'))).run(code)).toMatchObject({ outcome: 'skipped' });
    const { run } = await machine({ ...SH('true'), allowUnsafeModels: true });
    expect(await run(code)).toMatchObject({ outcome: 'passed' });
  });
});
