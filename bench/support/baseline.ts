import { type CommandOptions, type CommandResult, startCommand } from '../../test/support/command.ts';
import { killOn } from './commands.ts';

/** A bound for a baseline that hangs, far above what the slowest takes. */
const BASELINE_LIMIT_MS = 5 * 60_000;

/** What the same costs or gives without model-rtc, measured once in each repeat. */
export interface Baseline {
  readonly samples: readonly number[];
  /** Why it could not be measured, if it could not. */
  readonly failed: string | undefined;
  /**
   * Measures it once more. Never throws: the first failure is kept, and nothing is measured after it, so that what
   * hangs takes its time only once.
   *
   * @param run resolves to the sample; its signal aborts when the time limit is over, and the result is ignored then
   */
  measure(run: (signal: AbortSignal) => Promise<number>): Promise<void>;
}

/**
 * @param say is told of a failure at once
 * @param limitMs how long one measurement may take
 */
export function createBaseline(say: (text: string) => void, limitMs = BASELINE_LIMIT_MS): Baseline {
  const samples: number[] = [];
  let failed: string | undefined;
  return {
    samples,
    get failed() {
      return failed;
    },
    measure: async (run) => {
      if (failed !== undefined) return;
      try {
        samples.push(await withLimit(run, limitMs));
      } catch (error) {
        failed = `the baseline failed: ${firstLine(error)}`;
        say(failed);
      }
    },
  };
}

/**
 * @returns what the work resolves to
 * @throws Error when the work is not done by the limit, whether or not it listens to the signal, which aborts then
 */
export async function withLimit<T>(work: (signal: AbortSignal) => Promise<T>, limitMs: number): Promise<T> {
  const limit = new AbortController();
  const late = new Error(`it did not end within ${limitMs / 1000} s`);
  const timer = setTimeout(() => limit.abort(late), limitMs);
  const ended = new Promise<never>((_, reject) => limit.signal.addEventListener('abort', () => reject(late)));
  try {
    return await Promise.race([work(limit.signal), ended]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs a program that a baseline consists of.
 *
 * @param signal kills it
 * @throws Error when it fails or is killed
 */
export async function runBaseline(
  command: readonly [string, ...string[]],
  signal: AbortSignal,
  options: CommandOptions = { env: process.env },
): Promise<CommandResult> {
  const result = await killOn(signal, startCommand(command, options)).exited;
  const { exitCode, stderr, stdout } = result;
  if (exitCode !== 0)
    throw new Error(`${nameOf(command)} ended with ${exitCode ?? result.signal}: ${stderr || stdout}`);
  return result;
}

/** The speed that one of the raw programs beside this folder prints. */
export async function rawSpeed(command: readonly [string, ...string[]], signal: AbortSignal): Promise<number> {
  return (await runBaseline(command, signal)).json<{ mbPerSecond: number }>().mbPerSecond;
}

/** The first line of what an error says: a table has room for no more. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split('\n')[0] as string;
}

function nameOf(command: readonly string[]): string {
  const script = command.find((word) => /\.(ts|mjs)$/.test(word)) ?? (command[0] as string);
  return script.slice(script.lastIndexOf('/') + 1);
}
