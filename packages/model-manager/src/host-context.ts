import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { type Log, ModelRtcError, ProgressEvents } from '@model-rtc/protocol';
import { givenPublicKeys } from '@model-rtc/static-registry';
import { safe, safeJson } from './commands/text.ts';
import type { ModelsCommand, ModelsContext } from './commands/types.ts';
import { modelsDirVariable } from './data-folder.ts';
import { asModelError } from './errors.ts';
import { ModelManager } from './model-manager.ts';

/** Where a program mounts the commands. */
export interface ModelsCommandConfig {
  /** The program's name: how its commands are called, and the folder of its models. */
  readonly appName: string;
  /** The registry that is used when neither `--registry` nor MODEL_RTC_REGISTRY_URL names one. */
  readonly registryUrl?: string | undefined;
  /** The folder for all that is kept, instead of the platform's. */
  readonly dataDir?: string | undefined;
  /** Public keys of the publishers of `registryUrl`: only what one of them signed is taken from there. */
  readonly trustKeys?: readonly string[] | undefined;
}

/** The options that every command has. */
export interface CommonValues {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

const INTERRUPTED_EXIT_CODE = 130;
/** A token's file holds one line. */
const MAX_TOKEN_CHARS = 8192;

/** Runs a command in this process: prints, and sets the exit code. It never throws. */
export async function runInProcess(
  config: ModelsCommandConfig,
  command: ModelsCommand,
  given: CommonValues & Readonly<Record<string, unknown>>,
): Promise<void> {
  const abort = new AbortController();
  // A second Ctrl+C ends the process by itself.
  const onInterrupt = (): void => abort.abort(new ModelRtcError('cancelled', CANCELLED));
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onInterrupt);
  const context = createHostContext(config, given, abort.signal);
  try {
    await command.run(context, given as never);
  } catch (thrown) {
    const error = asModelError(thrown);
    context.events?.fail(error.toData());
    process.stderr.write(
      given.json
        ? `${safeJson({ error: error.toData() })}\n`
        : `${config.appName}: ${safe(error.message.replaceAll(/\s*\n\s*/g, ' '))}\n`,
    );
    process.exitCode = abort.signal.aborted ? INTERRUPTED_EXIT_CODE : error.exitCode;
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
}

const CANCELLED = 'Cancelled. What has arrived is kept: run the same command again to resume.';

function createHostContext(
  { appName, registryUrl, dataDir, trustKeys }: ModelsCommandConfig,
  { json = false, quiet = false, verbose = false }: CommonValues,
  signal: AbortSignal,
): ModelsContext {
  const { env } = process;
  const writeEvent = (event: object): void => void process.stdout.write(`${safeJson(event)}\n`);
  const events = json && !quiet ? new ProgressEvents(writeEvent, () => performance.now()) : undefined;
  return {
    program: `${appName} models`,
    env,
    json,
    quiet,
    signal,
    stderr: process.stderr,
    async manager(url, pinKeys) {
      const chosenUrl = url ?? (env.MODEL_RTC_REGISTRY_URL || registryUrl);
      return new ModelManager(
        {
          appName,
          dataDir: env[modelsDirVariable(appName)] || dataDir,
          registryUrl: chosenUrl,
          // The program's keys are those of its own registry.
          trustKeys: chosenUrl === registryUrl ? trustKeys : undefined,
          pinKeys: await givenPublicKeys(pinKeys, env),
        },
        { logger: createLog(verbose, quiet) },
      );
    },
    events,
    result(data, text) {
      const isEvent = events?.areUsed === true;
      events?.complete();
      process.stdout.write(`${json ? safeJson(isEvent ? { event: 'result', ...data } : data) : text}\n`);
    },
    confirm,
    sessions: (texts) => Promise.all(texts.map(sessionText)),
  };
}

async function confirm(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new ModelRtcError('bad_argument', `${question} Cannot ask without a terminal. Pass --yes.`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** A session token, or what is in `@FILE`: a secret that need not be among the arguments. */
async function sessionText(text: string): Promise<string> {
  if (!text.startsWith('@')) return text;
  const read = await readFile(text.slice(1), 'utf8').catch((error: unknown) => {
    throw ModelRtcError.because(error, 'bad_argument', `Cannot read the session file "${text.slice(1)}".`);
  });
  return read.slice(0, MAX_TOKEN_CHARS).trim();
}

function createLog(verbose: boolean, quiet: boolean): Log {
  const say = (level: string) => (fields: object, message: string) => {
    process.stderr.write(verbose ? `${safeJson({ level, ...fields, message })}\n` : `warning: ${safe(message)}\n`);
  };
  const none = (): void => {};
  return {
    debug: verbose ? say('debug') : none,
    info: verbose ? say('info') : none,
    warn: quiet && !verbose ? none : say('warn'),
  };
}
