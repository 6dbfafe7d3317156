import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { PullOutcome } from '../src/index.ts';
import { type ChildJob, childModel } from './support/child-job.ts';
import { expectFiles } from './support/expectations.ts';
import { temporaryFolder } from './support/pulling.ts';

const CHILD = join(dirname(fileURLToPath(import.meta.url)), 'support', 'pull-child.ts');
const RUNS: [string, string[]][] = [
  ['with the disk in the main thread (the sources)', ['--conditions=@model-rtc/source']],
  ['with the disk in its own thread (the build)', []],
];

const children = new Set<ChildProcess>();

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

interface ChildRun {
  readonly asked: number[];
  readonly outcome: PullOutcome | undefined;
  readonly errors: string;
}

/** Runs the child until it is done, or kills it when it was asked for so many chunks. */
async function runChild(job: ChildJob, flags: string[], killAfter = Number.POSITIVE_INFINITY): Promise<ChildRun> {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const child = spawn(process.execPath, ['--import', 'tsx', ...flags, CHILD, JSON.stringify(job)], { env });
  children.add(child);
  let errors = '';
  child.stderr.on('data', (bytes) => {
    errors += bytes;
  });
  const asked: number[] = [];
  let outcome: PullOutcome | undefined;
  const closed = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, rest = ''] = line.split(/ (.*)/);
    if (word === 'asked') asked.push(Number(rest));
    if (word === 'done') outcome = JSON.parse(rest);
    if (asked.length >= killAfter) child.kill('SIGKILL');
  }
  await closed;
  children.delete(child);
  return { asked, outcome, errors };
}

async function journalled(job: ChildJob): Promise<number[]> {
  const lines = await readFile(join(job.staging, childModel(job).digest, 'journal'), 'latin1').catch(() => '');
  return lines
    .split('\n')
    .slice(1, -1)
    .filter((line) => line !== '')
    .map((line) => Number(line.split(' ')[0]));
}

describe.each(RUNS)('a pull that is killed again and again, %s', (_name, flags) => {
  it('ends with the right bytes, and asks for nothing twice that was on the disk', async () => {
    const job: ChildJob = { staging: await temporaryFolder(), seed: flags.length, delayMs: 2 };
    const model = childModel(job);
    const total = new Set(model.manifest.chunks.map(({ digest }) => digest)).size;
    let resumed = 0;
    for (const killAfter of [1, 9, 3, 25, 14]) {
      const before = new Set(await journalled(job));
      const { asked } = await runChild(job, flags, killAfter);
      expect(asked.filter((id) => before.has(id))).toEqual([]);
      resumed = Math.max(resumed, before.size);
    }
    const before = new Set(await journalled(job));
    expect(before.size).toBeGreaterThan(0);
    expect(before.size).toBeLessThan(total);
    const { asked, outcome, errors } = await runChild(job, flags);
    expect({ errors, done: outcome !== undefined }).toEqual({ errors: '', done: true });
    expect(asked.filter((id) => before.has(id))).toEqual([]);
    expect(asked).toHaveLength(total - before.size);
    await expectFiles(outcome?.filesFolder as string, model);
  }, 120_000);

  it('starts again after a kill while whole files are verified', async () => {
    const job: ChildJob = { staging: await temporaryFolder(), seed: 77 + flags.length, delayMs: 0 };
    const model = childModel(job);
    const total = new Set(model.manifest.chunks.map(({ digest }) => digest)).size;
    await runChild(job, flags, total);
    const { outcome } = await runChild(job, flags);
    await expectFiles(outcome?.filesFolder as string, model);
  }, 60_000);
});
