import { type CommandOptions, type CommandResult, startCommand } from '../../test/support/command.ts';

/** A bound for a baseline that hangs, far above what the slowest takes. */
const BASELINE_LIMIT_MS = 5 * 60_000;

/** What the same costs or gives without model-rtc, measured once in each repeat. */
export interface Baseline {
  readonly samples: readonly number[];
  /** Why it could not be measured, if it could not. */
  readonly failed: string | undefined;
  /** Measures it once more; does nothing once it has failed, so that what hangs takes its time only once. */
  measure(run: () => Promise<number>): Promise<void>;
}

/** @param say is told of a failure at once */
export function createBaseline(say: (text: string) => void): Baseline {
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
        samples.push(await run());
      } catch (error) {
        failed = `the baseline failed: ${firstLine(error)}`;
        say(failed);
      }
    },
  };
}

/**
 * Runs a program that a baseline consists of.
 * @throws Error when it fails, or does not end within the limit; then it is killed
 */
export async function runBaseline(
  command: readonly [string, ...string[]],
  { limitMs = BASELINE_LIMIT_MS, ...options }: CommandOptions & { readonly limitMs?: number } = { env: process.env },
): Promise<CommandResult> {
  const running = startCommand(command, options);
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    void running.kill('SIGKILL').catch(() => undefined);
  }, limitMs);
  const result = await running.exited.finally(() => clearTimeout(limit));
  if (isLate) throw new Error(`${nameOf(command)} did not end within ${limitMs / 1000} s`);
  const { exitCode, signal, stderr, stdout } = result;
  if (exitCode !== 0) throw new Error(`${nameOf(command)} ended with ${exitCode ?? signal}: ${stderr || stdout}`);
  return result;
}

/** The speed that one of the raw programs beside this folder prints. */
export async function rawSpeed(command: readonly [string, ...string[]]): Promise<number> {
  return (await runBaseline(command)).json<{ mbPerSecond: number }>().mbPerSecond;
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
