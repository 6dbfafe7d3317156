// Prints `N passed, N failed, N skipped` over the result files of several jest runs, and fails when anything did.
import { readFileSync } from 'node:fs';

const sum = { passed: 0, failed: 0, skipped: 0 };

for (const path of process.argv.slice(2)) {
  const result = read(path);
  for (const test of result.testResults?.flatMap((suite) => suite.assertionResults) ?? []) {
    if (test.status === 'passed' && test.retryReasons?.length > 0) {
      process.stdout.write(`passed at the second try only: ${test.fullName}\n`);
    }
  }
  sum.passed += result.numPassedTests;
  // A suite that could not be loaded has no tests to count, and is a failure all the same.
  sum.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  sum.skipped += result.numPendingTests + result.numTodoTests;
}

process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exitCode = sum.failed > 0 ? 1 : 0;

/** A run that left no results broke before or in its tests: one failure. */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    process.stderr.write(`No test results in ${path}: ${error.message}\n`);
    return {
      numPassedTests: 0,
      numFailedTests: 1,
      numRuntimeErrorTestSuites: 0,
      numPendingTests: 0,
      numTodoTests: 0,
    };
  }
}
