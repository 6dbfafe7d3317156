import { execa, type Options } from 'execa';
import { type Match, OutputWatch } from './output-watch.ts';
import { describeProcess } from './process-state.ts';

/** How a command ended. */
export interface CommandResult {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  /** The result of a command with --json: the last line of standard output, which events of progress may come before. */
  json<T = Record<string, unknown>>(): T;
  /** Standard output as one JSON value a line. */
  jsonLines<T = Record<string, unknown>>(): T[];
}

export interface WaitOptions {
  /** A bound for what never comes, not a measure: 60 s unless told. */
  readonly timeoutMs?: number | undefined;
}

/** A command that is still running, or was when it was started. */
export interface RunningCommand {
  readonly pid: number;
  readonly startedAtMs: number;
  /** What it has written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /**
   * Waits until the output, from its beginning, has the pattern in it.
   * @throws Error with all that the command wrote, when it ends without it or the time is over
   */
  waitForStdout(pattern: RegExp | string, options?: WaitOptions): Promise<Match>;
  waitForStderr(pattern: RegExp | string, options?: WaitOptions): Promise<Match>;
  /** Resolves when it has ended, however it ends. */
  readonly exited: Promise<CommandResult>;
  /** Sends a signal (SIGTERM unless told) and waits for the end; does nothing to a command that has ended. */
  kill(signal?: NodeJS.Signals): Promise<CommandResult>;
}

export interface CommandOptions {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly input?: string | undefined;
}

/** Starts a program with nothing of this process's environment but what it is given. */
export function startCommand(command: readonly [string, ...string[]], options: CommandOptions = {}): RunningCommand {
  const [file, ...args] = command;
  const startedAtMs = performance.now();
  const child = execa(file, args, childOptions(options));
  const stdout = new OutputWatch('standard output');
  const stderr = new OutputWatch('standard error');
  child.stdout?.on('data', (data: Buffer) => stdout.add(data));
  child.stderr?.on('data', (data: Buffer) => stderr.add(data));
  const exited = endOf(child, stdout, stderr, startedAtMs);
  const describe = (): string =>
    `${args.join(' ')}\n--- stdout\n${stdout.text}\n--- stderr\n${stderr.text}\n--- process\n${describeProcess(child.pid ?? 0)}`;
  return {
    pid: child.pid ?? 0,
    startedAtMs,
    exited,
    get stdout() {
      return stdout.text;
    },
    get stderr() {
      return stderr.text;
    },
    waitForStdout: (pattern, wait = {}) => stdout.waitFor(pattern, describe, wait.timeoutMs),
    waitForStderr: (pattern, wait = {}) => stderr.waitFor(pattern, describe, wait.timeoutMs),
    kill: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return await exited;
    },
  };
}

/** Runs a program to its end. A failure is a result like any other, since tests ask for the exit code. */
export async function runCommand(
  command: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return await startCommand(command, options).exited;
}

function childOptions(options: CommandOptions) {
  return {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    env: { ...options.env },
    extendEnv: false,
    reject: false,
    buffer: false,
    // A test decides how its processes end.
    forceKillAfterDelay: false,
  } satisfies Options;
}

/** What is asked of a child that has ended. */
interface Ended {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly originalMessage?: string | undefined;
}

async function endOf(
  child: PromiseLike<Ended> & { readonly pid?: number | undefined },
  stdout: OutputWatch,
  stderr: OutputWatch,
  startedAtMs: number,
): Promise<CommandResult> {
  const { exitCode, signal, originalMessage } = await child;
  const how = String(exitCode ?? signal ?? originalMessage);
  stdout.end(how);
  stderr.end(how);
  if (child.pid === undefined) throw new Error(`The command did not start: ${originalMessage}`);
  return {
    exitCode,
    signal,
    stdout: stdout.text,
    stderr: stderr.text,
    durationMs: performance.now() - startedAtMs,
    json: () => parseResult(stdout.text, stderr.text),
    jsonLines: () =>
      stdout.text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => parse(line, stderr.text)),
  };
}

/** All of it as one value, or its last line, where those before it are events. */
function parseResult<T>(text: string, stderr: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    return parse(text.trimEnd().split('\n').at(-1) ?? '', stderr);
  }
}

function parse<T>(text: string, stderr: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`Not JSON: ${JSON.stringify(text)}\n--- stderr\n${stderr}`, { cause: error });
  }
}
