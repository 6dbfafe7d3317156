#!/usr/bin/env node
import { homedir } from 'node:os';
import { finished } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { COMPLETE } from './commands/completion/command.ts';
import type { Runtime } from './console/runtime.ts';

const FORCED_EXIT_CODE = 130;
/** The package that `conf` writes files with raises each signal once more by itself. */
const SAME_PRESS_MS = 300;

/**
 * How far the heap may grow before all of it is looked through for garbage: to four times of what was in use, as V8 lets
 * it when it is generous. Left to itself it counts the bytes of a transfer, which the cheap collections free, as growth of
 * a heap that is small, and looked through everything 15 times a second. docs/decisions/heap-growth.md has the measurements.
 */
const HEAP_GROWING_PERCENT = 300;
setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);

const runtime: Runtime = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  platform: process.platform,
  userHome: homedir(),
  onInterrupt(listener) {
    let firstMs: number | undefined;
    const onSignal = () => {
      // Whoever presses Ctrl+C twice wants out now; nothing is lost, since what is half done is never visible.
      if (firstMs !== undefined && performance.now() - firstMs > SAME_PRESS_MS) process.exit(FORCED_EXIT_CODE);
      firstMs ??= performance.now();
      listener();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
    return () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    };
  },
};

// A reader that went away (`| head`) is an ordinary end of a command that prints a list.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const exitCode = await run(process.argv.slice(2));
process.exitCode = exitCode;
// Native WebRTC threads may outlive their connections; the result is what must be out before the process goes.
process.stdout.end();
await finished(process.stdout).catch(() => {});
process.exit(exitCode);

/** A shell that asks for completions waits for them: they load no parser. */
async function run(args: readonly string[]): Promise<number> {
  if (args[0] === COMPLETE) {
    const { printCompletions } = await import('./commands/completion/complete.ts');
    await printCompletions(args.slice(1), runtime);
    return 0;
  }
  const { runCli } = await import('./cli.ts');
  return await runCli(args, runtime);
}
