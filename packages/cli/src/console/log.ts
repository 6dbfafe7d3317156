import type { Log } from '@model-rtc/protocol';
import type { ConsoleStream } from './runtime.ts';

/** What must never be in a log, wherever it stands. */
const SECRETS = ['token', 'session', 'secret', '*.token', '*.session', '*.secret'];

/** Warnings go to standard error as plain lines; `--verbose` gives everything, as pino's JSON lines. */
export async function createLog(
  stderr: ConsoleStream,
  { quiet, verbose }: { quiet: boolean; verbose: boolean },
): Promise<Log> {
  if (verbose) {
    const { default: pino } = await import('pino');
    const log: Log = pino({ level: 'debug', redact: SECRETS, base: null }, stderr);
    return log;
  }
  const warn = quiet ? () => {} : (_fields: object, message: string) => void stderr.write(`warning: ${message}\n`);
  return { debug() {}, info() {}, warn };
}
