#!/usr/bin/env node
import { homedir } from 'node:os';
import { finished } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { COMPLETE } from './commands/completion/command.ts';
import type { Runtime } from './console/runtime.ts';
import { SafeStream } from './console/safe-stream.ts';

const FORCED_EXIT_CODE = 130;
const STORAGE_EXIT_CODE = 7;
/** A timer that is never due. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;
/** The package that `conf` writes files with raises each signal once more by itself. */
const SAME_PRESS_MS = 300;

/**
 * How far the heap may grow before all of it is looked through for garbage: to four times of what was in use, as V8 lets
 * it when it is generous. Left to itself it counts the bytes of a transfer, which the cheap collections free, as growth of
 * a heap that is small, and looked through everything 15 times a second. docs/decisions/heap-growth.md has the measurements.
 */
const HEAP_GROWING_PERCENT = 300;
setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);

const stdout = new SafeStream(process.stdout);
const stderr = new SafeStream(
  process.stderr,
  (lost, { message }) => `warning: ${lost} messages before this one could not be written here (${message}).\n`,
);
const runtime: Runtime = {
  stdin: process.stdin,
  stdout,
  stderr,
  env: process.env,
  platform: process.platform,
  userHome: userHome(),
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

// While a command runs the process lives: what it waits for may be a timer that alone keeps no process.
const alive = setInterval(() => {}, LONGEST_DELAY_MS);
const commandsExitCode = await run(process.argv.slice(2));
clearInterval(alive);
// Native WebRTC threads may outlive their connections; what was said must be out before the process goes.
stdout.end();
await finished(stdout);
const exitCode = outcome(commandsExitCode);
stderr.end();
await finished(stderr);
process.exit(exitCode);

/**
 * What the command came to. A reader that went away (`| head`) has all that it wanted; a result that cannot be written for
 * another reason is not there, though the work is done.
 */
function outcome(exitCode: number): number {
  const { error } = stdout;
  if (exitCode !== 0 || error === undefined || error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')
    return exitCode;
  stderr.write(
    `model-rtc: The work is done, but its result could not be written to standard output (${error.message}).\n`,
  );
  return STORAGE_EXIT_CODE;
}

function userHome(): string | undefined {
  try {
    return homedir();
  } catch {
    // A user that no account is of, as in a container.
    return undefined;
  }
}

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
