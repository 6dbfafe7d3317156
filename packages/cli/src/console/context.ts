import { setMaxListeners } from 'node:events';
import { explainSystemError } from '@model-rtc/files';
import { type Log, ModelRtcError } from '@model-rtc/protocol';
import { dataFolder, type ModelReading, openRegistry, type Registry } from '@model-rtc/registry';
import { printable, printableJson } from './format.ts';
import { Output } from './output.ts';
import { type ConsoleStream, type EndingSignal, isCapable, type Runtime } from './runtime.ts';

/** The options that every command has. */
export interface CommonOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export type Prompts = Pick<
  typeof import('@clack/prompts'),
  'confirm' | 'isCancel' | 'multiselect' | 'password' | 'select' | 'text'
>;

/** What a command runs with. */
export interface Context {
  readonly runtime: Runtime;
  readonly output: Output;
  readonly log: Log;
  /** This machine's data folder. */
  readonly home: string;
  /** Aborts at Ctrl+C. */
  readonly signal: AbortSignal;
  /** Whether the user can be asked: standard input and error are a terminal. */
  readonly interactive: boolean;
  /** Draws questions on the terminal and reads the answers. */
  prompts(): Promise<Prompts>;
  /** The registry of this machine, opened at the first call and closed when the command ends. */
  registry(): Promise<Registry>;
  /** Says from now on what Ctrl+C leaves behind, in place of a plain "Cancelled.". */
  explainCancel(sentence: string): void;
  /**
   * Hands Ctrl+C and its like to the listener from now on, instead of ending the command. @returns how to end the command by them
   * again
   */
  takeInterrupts(listener: (signal: EndingSignal) => void): () => void;
}

const INTERRUPTED_EXIT_CODE = 130;
/** Fields that a log must never show. */
const SECRETS = ['token', 'session', 'secret', '*.token', '*.session', '*.secret'];

/**
 * Runs a command's work and gives the exit code. Ctrl+C aborts the work, which cleans up and says how to go on; a second
 * one ends the process at once.
 *
 * @param reading - what reads into model files, where it was started before; it ends with the command.
 */
export async function runInContext(
  runtime: Runtime,
  options: CommonOptions,
  work: (context: Context) => Promise<void>,
  reading?: ModelReading,
): Promise<number> {
  const output = new Output(runtime, options);
  const controller = new AbortController();
  // Every part of a command listens to it, some many times over.
  setMaxListeners(0, controller.signal);
  let onInterrupt = (_signal: EndingSignal): void => controller.abort(new ModelRtcError('cancelled', 'Cancelled.'));
  const stopListening = runtime.onInterrupt((signal) => onInterrupt(signal));
  let registry: Promise<Registry> | undefined;
  let cancelText: string | undefined;
  const log = await createLog(runtime.stderr, options);
  try {
    const home = dataFolder({ env: runtime.env, platform: runtime.platform, home: runtime.userHome });
    const context: Context = {
      runtime,
      output,
      log,
      home,
      signal: controller.signal,
      interactive: runtime.stdin.isTTY === true && isCapable(runtime),
      prompts: () => import('@clack/prompts'),
      registry: () => {
        registry ??= openRegistry({ home, log, reading });
        return registry;
      },
      explainCancel(sentence) {
        cancelText = sentence;
      },
      takeInterrupts(listener) {
        const before = onInterrupt;
        onInterrupt = listener;
        return () => {
          onInterrupt = before;
        };
      },
    };
    await work(context);
    return 0;
  } catch (error) {
    const known =
      controller.signal.aborted && cancelText !== undefined
        ? ModelRtcError.because(error, 'cancelled', cancelText)
        : explainSystemError(ModelRtcError.from(error));
    if (options.verbose && !options.json) log.debug({ err: error }, 'the error in full');
    output.error(known.toData());
    return controller.signal.aborted ? INTERRUPTED_EXIT_CODE : known.exitCode;
  } finally {
    stopListening();
    await registry?.then((opened) => opened.close()).catch(() => {});
    await reading?.close();
  }
}

/** Warnings go to standard error as plain lines; `--verbose` gives everything, as pino's JSON lines. */
async function createLog(
  stderr: ConsoleStream,
  { quiet, verbose }: Pick<CommonOptions, 'quiet' | 'verbose'>,
): Promise<Log> {
  if (verbose) {
    const { default: pino } = await import('pino');
    const lines = { write: (line: string) => void stderr.write(printableJson(line)) };
    const log: Log = pino({ level: 'debug', redact: SECRETS, base: null }, lines);
    return log;
  }
  const warn = quiet
    ? () => {}
    : (_fields: object, message: string) => void stderr.write(`warning: ${printable(message)}\n`);
  return { debug() {}, info() {}, warn };
}
