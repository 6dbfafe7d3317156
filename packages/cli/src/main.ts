#!/usr/bin/env node
import { homedir } from 'node:os';
import { finished } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { COMPLETE } from './commands/completion/command.ts';
import type { EndingSignal, Runtime } from './console/runtime.ts';
import { SafeStream } from './console/safe-stream.ts';

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const satisfies readonly EndingSignal[];
const UNEXPECTED_EXIT_CODE = 1;
const STORAGE_EXIT_CODE = 7;
/** The longest delay of a timer. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;
/** The library that `conf` writes files with raises each signal a second time. */
const SAME_PRESS_MS = 300;

/**
 * How far the heap may grow before V8 searches all of it for garbage: to four times what was in use. By default, V8 counts
 * the bytes of a transfer, which its cheap collections free, as growth of a small heap, and searched everything 15 times a
 * second. docs/decisions/heap-growth.md has the measurements.
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
    const onSignal = (signal: EndingSignal) => {
      // A second Ctrl+C means: exit now. Nothing is lost, since half-done work is never visible.
      if (firstMs !== undefined && performance.now() - firstMs > SAME_PRESS_MS) dieOf(signal);
      firstMs ??= performance.now();
      listener(signal);
    };
    for (const signal of ENDING_SIGNALS) process.on(signal, onSignal);
    return () => {
      for (const signal of ENDING_SIGNALS) process.off(signal, onSignal);
    };
  },
};

// A write beyond the limit of a file's size (ulimit -f) fails with EFBIG, which says more than the end of the process.
process.on('SIGXFSZ', () => {});

// Keeps the process alive while a command runs, which may wait for a timer that does not.
const alive = setInterval(() => {}, LONGEST_DELAY_MS);
const commandsExitCode = await run(process.argv.slice(2)).catch(failedToRun);
clearInterval(alive);
// Native WebRTC threads may outlive their connections, so the process exits as soon as all output is written.
stdout.end();
await finished(stdout);
const exitCode = outcome(commandsExitCode);
stderr.end();
await finished(stderr);
// From here on a signal ends the process by itself, in case a read that never returns keeps it from exiting.
for (const signal of ENDING_SIGNALS) process.removeAllListeners(signal);
process.exit(exitCode);

/** An exit waits for the threads that read files, and one may wait for a dead network disk; a signal waits for nothing. */
function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * The exit code. A reader that went away (`| head`) has all that it wanted. A result that cannot be written for another
 * reason is a failure, although the work is done.
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

/** For errors outside of any command: a part of the program cannot be loaded, as under a low limit of open files. */
function failedToRun(error: NodeJS.ErrnoException): number {
  const isLimit = error.code === 'EMFILE' || error.code === 'ENFILE';
  const advice = isLimit ? '. Raise the limit of open files (ulimit -n 4096) and run the command again.' : '';
  stderr.write(`model-rtc: ${error.message}${advice}\n`);
  return isLimit ? STORAGE_EXIT_CODE : UNEXPECTED_EXIT_CODE;
}

function userHome(): string | undefined {
  try {
    return homedir();
  } catch {
    // A user without an account, as in a container.
    return undefined;
  }
}

/** A shell waits for completions, so they do not load the parser. */
async function run(args: readonly string[]): Promise<number> {
  if (args[0] === COMPLETE) {
    const { printCompletions } = await import('./commands/completion/complete.ts');
    await printCompletions(args.slice(1), runtime);
    return 0;
  }
  const { runCli } = await import('./cli.ts');
  return await runCli(args, runtime);
}
