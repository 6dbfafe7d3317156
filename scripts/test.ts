/**
 * `npm test`: builds, then runs the unit tests, and the static checks beside them with what the processors have left.
 * Arguments go to jest.
 */
import { setPriority } from 'node:os';
import { execa } from 'execa';

/** Without the types of the sources, which the build has checked. */
const CHECKS = ['check:tests', 'check:lint', 'check:unused', 'check:docs'];
const PRIORITY_BESIDE_TESTS = 10;

await execa('npm', ['run', 'build'], { stdio: 'inherit' });
const [tests, failedChecks] = await Promise.all([runTests(process.argv.slice(2)), runChecks()]);
if (failedChecks.length > 0) process.stderr.write(`\nFailed: ${failedChecks.join(', ')}. Their output is above.\n`);
process.exitCode = tests === 0 && failedChecks.length === 0 ? 0 : 1;

async function runTests(args: readonly string[]): Promise<number | undefined> {
  const options = ['--selectProjects', 'unit', '--maxWorkers=100%', ...args];
  const { exitCode } = await execa('npm', ['run', 'jest', '--', ...options], { stdio: 'inherit', reject: false });
  return exitCode;
}

/** One after the other, since each uses several processors. Says at once what failed, and gives its name. */
async function runChecks(): Promise<string[]> {
  const failed: string[] = [];
  for (const name of CHECKS) {
    const check = execa('npm', ['run', name], { all: true, reject: false });
    if (check.pid !== undefined) setPriority(check.pid, PRIORITY_BESIDE_TESTS);
    const { exitCode, all } = await check;
    if (exitCode === 0) continue;
    failed.push(name);
    process.stderr.write(`\n${all}\n`);
  }
  return failed;
}
