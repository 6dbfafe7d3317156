import { access, constants, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type CommandResult, runCommand } from '../support/command.ts';
import { useLab } from '../support/suites.ts';
import { REPOSITORY } from './workspaces.ts';

const lab = useLab();

const PASSING = {
  numPassedTests: 5,
  numFailedTests: 0,
  numRuntimeErrorTestSuites: 0,
  numPendingTests: 1,
  numTodoTests: 1,
};

/** Runs .ci/sum-results.js over results; undefined stands for a run that left none. */
async function sum(...results: (object | undefined)[]): Promise<CommandResult> {
  const folder = await lab.folder();
  const paths: string[] = [];
  for (const [index, result] of results.entries()) {
    const path = join(folder, `${index}.json`);
    if (result !== undefined) await writeFile(path, JSON.stringify(result));
    paths.push(path);
  }
  return await runCommand([process.execPath, join(REPOSITORY, '.ci', 'sum-results.js'), ...paths]);
}

describe('.ci/run', () => {
  it('can be executed', async () => {
    await expect(access(join(REPOSITORY, '.ci', 'run'), constants.X_OK)).resolves.toBeUndefined();
  });
});

describe('.ci/sum-results.js', () => {
  it('adds the runs up and succeeds when nothing failed', async () => {
    const result = await sum(PASSING, PASSING);
    expect(result.stdout).toBe('10 passed, 0 failed, 4 skipped\n');
    expect(result.exitCode).toBe(0);
  });

  it('names each test that passed at the second try only', async () => {
    const assertionResults = [
      { status: 'passed', fullName: 'pull is slow', retryReasons: ['Error: it hung'] },
      { status: 'passed', fullName: 'pull is fast', retryReasons: [] },
      { status: 'failed', fullName: 'pull is wrong', retryReasons: ['Error: it is wrong'] },
    ];
    const result = await sum({ ...PASSING, testResults: [{ assertionResults }] });
    expect(result.stdout).toBe('passed at the second try only: pull is slow\n5 passed, 0 failed, 2 skipped\n');
    expect(result.exitCode).toBe(0);
  });

  it('fails when a test failed', async () => {
    const result = await sum(PASSING, { ...PASSING, numFailedTests: 2 });
    expect(result.stdout).toBe('10 passed, 2 failed, 4 skipped\n');
    expect(result.exitCode).toBe(1);
  });

  it('counts a suite that could not be loaded as a failure', async () => {
    const result = await sum({ ...PASSING, numRuntimeErrorTestSuites: 1 });
    expect(result.stdout).toBe('5 passed, 1 failed, 2 skipped\n');
    expect(result.exitCode).toBe(1);
  });

  it('counts a run without results as a failure', async () => {
    const result = await sum(PASSING, undefined);
    expect(result.stdout).toBe('5 passed, 1 failed, 2 skipped\n');
    expect(result.stderr).toContain('No test results');
    expect(result.exitCode).toBe(1);
  });
});
