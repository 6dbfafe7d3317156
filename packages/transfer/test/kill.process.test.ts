import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { contentsKey, planLayout } from '../src/core/index.ts';
import type { PullOutcome } from '../src/index.ts';
import { type ChildJob, childContents, childModel } from './support/child-job.ts';
import { expectFiles } from './support/expectations.ts';
import { temporaryFolder } from './support/pulling.ts';

const CHILD = join(dirname(fileURLToPath(import.meta.url)), 'children', 'pull-child.ts');
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

/** Runs the child until it is done, or kills it in the midst of its work when this becomes true. */
async function runChild(job: ChildJob, flags: string[], killWhen?: () => boolean): Promise<ChildRun> {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const child = spawn(process.execPath, ['--import', 'tsx', ...flags, CHILD, JSON.stringify(job)], { env });
  children.add(child);
  const closed = once(child, 'close');
  const killer = setInterval(() => {
    if (killWhen?.()) child.kill('SIGKILL');
  }, 1);
  let errors = '';
  child.stderr.on('data', (bytes) => {
    errors += bytes;
  });
  const asked: number[] = [];
  let outcome: PullOutcome | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, rest = ''] = line.split(/ (.*)/);
    if (word === 'asked') asked.push(Number(rest));
    if (word === 'done') outcome = JSON.parse(rest);
  }
  await closed;
  clearInterval(killer);
  children.delete(child);
  return { asked, outcome, errors };
}

function journalled(journal: string): number[] {
  if (!existsSync(journal)) return [];
  const lines = readFileSync(journal, 'latin1').split('\n').slice(1, -1);
  return lines.filter((line) => line !== '').map((line) => Number(line.split(' ')[0]));
}

describe.each(RUNS)('a pull that is killed again and again, %s', (_name, flags) => {
  it('ends with the right bytes, and asks for nothing twice that was on the disk', async () => {
    const job: ChildJob = { staging: await temporaryFolder(), seed: flags.length };
    const model = childModel(job);
    const journal = join(job.staging, model.digest, 'journal');
    const total = new Set(model.manifest.chunks.map(({ digest }) => digest)).size;
    for (const more of [0, 1, 9, 4, 14]) {
      const before = new Set(journalled(journal));
      const killWhen = (): boolean => existsSync(journal) && journalled(journal).length >= before.size + more;
      const { asked } = await runChild({ ...job, serveOnly: more + 5 }, flags, killWhen);
      expect(asked.filter((id) => before.has(id))).toEqual([]);
    }
    const before = new Set(journalled(journal));
    expect(before.size).toBeGreaterThanOrEqual(28);
    expect(before.size).toBeLessThan(total);
    const { asked, outcome, errors } = await runChild(job, flags);
    expect({ errors, done: outcome !== undefined }).toEqual({ errors: '', done: true });
    expect(asked.filter((id) => before.has(id))).toEqual([]);
    expect(asked).toHaveLength(total - before.size);
    await expectFiles(outcome?.filesFolder as string, model);
  }, 120_000);

  it('fetches no range twice that was on the disk, though only the hash of its file can tell whether it is right', async () => {
    const job: ChildJob = { staging: await temporaryFolder(), seed: 30 + flags.length, isHub: true };
    const contents = childContents(job);
    const journal = join(job.staging, contentsKey(contents), 'journal');
    const ids = [...planLayout(contents).sizes.keys()];
    for (const more of [2, 1]) {
      const before = new Set(journalled(journal));
      const killWhen = (): boolean => existsSync(journal) && journalled(journal).length >= before.size + more;
      const { asked } = await runChild({ ...job, serveOnly: more }, flags, killWhen);
      expect(asked.filter((id) => before.has(id))).toEqual([]);
    }
    const before = new Set(journalled(journal));
    expect([...before]).toEqual(ids.slice(0, 3));
    const { asked, outcome, errors } = await runChild(job, flags);
    expect({ errors, done: outcome !== undefined }).toEqual({ errors: '', done: true });
    expect(asked).toEqual(ids.slice(3));
    await expectFiles(outcome?.filesFolder as string, childModel(job));
  }, 120_000);

  it('starts again after a kill when all chunks were there', async () => {
    const job: ChildJob = { staging: await temporaryFolder(), seed: 77 + flags.length };
    const model = childModel(job);
    const journal = join(job.staging, model.digest, 'journal');
    const total = new Set(model.manifest.chunks.map(({ digest }) => digest)).size;
    await runChild(job, flags, () => journalled(journal).length === total);
    const { asked, outcome } = await runChild(job, flags);
    expect(asked).toEqual([]);
    await expectFiles(outcome?.filesFolder as string, model);
  }, 120_000);
});

describe.each(RUNS)('a disk that fails, %s', (_name, flags) => {
  it('ends the pull with its error, and the process with it', async () => {
    const job: ChildJob = { staging: await temporaryFolder(), seed: 5 };
    const model = childModel(job);
    // A folder where a file should be.
    mkdirSync(join(job.staging, model.digest, 'files', 'config.json'), { recursive: true });
    const { outcome, errors } = await runChild(job, flags);
    expect(outcome).toBeUndefined();
    expect(errors).toContain('EISDIR');
    expect(errors).toContain('ModelRtcError');
  }, 60_000);
});
