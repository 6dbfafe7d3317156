import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ModelRtcError } from '@model-rtc/protocol';
import { PACKAGE_ROOT } from '../../package.ts';

const MAIN = fileURLToPath(new URL('bin/main.js', PACKAGE_ROOT));

/** One of the demo's machines: a data folder of its own. */
export interface Machine {
  readonly name: string;
  readonly home: string;
}

/** Runs the demo's commands as processes of their own, and stops the servers among them. */
export class DemoProcesses {
  readonly #folder: string;
  readonly #signal: AbortSignal;
  readonly #serving: ChildProcess[] = [];

  constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  machine(name: string): Machine {
    return { name, home: join(this.#folder, name) };
  }

  /** Runs a command to its end and gives its JSON result. The session is passed in the environment, as a script would. */
  async run<T>(machine: Machine, args: readonly string[], session?: string): Promise<T> {
    const child = this.#spawn(machine, args, session);
    const [result] = await Promise.all([firstLine(child), once(child, 'exit')]);
    if (child.exitCode !== 0 || result === undefined) throw failed(args, child.exitCode);
    return JSON.parse(result) as T;
  }

  /** Starts a command that serves and gives its first line, which it prints when it is ready. */
  async start<T>(machine: Machine, args: readonly string[]): Promise<T> {
    const child = this.#spawn(machine, args);
    this.#serving.push(child);
    const result = await firstLine(child);
    if (result === undefined) throw failed(args, child.exitCode);
    return JSON.parse(result) as T;
  }

  /** Stops all servers, the last started first. */
  async end(): Promise<void> {
    for (const child of this.#serving.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
  }

  #spawn(machine: Machine, args: readonly string[], session?: string): ChildProcess {
    return spawn(process.execPath, [MAIN, ...args, '--json', '--quiet'], {
      env: {
        ...process.env,
        MODEL_RTC_HOME: machine.home,
        ...(session === undefined ? {} : { MODEL_RTC_SESSION: session }),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
      signal: this.#signal,
    }).on('error', () => {
      // An aborted demo: the caller learns it from its own signal.
    });
  }
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) return undefined;
  for await (const line of createInterface({ input: child.stdout })) return line;
  return undefined;
}

function failed(args: readonly string[], exitCode: number | null): ModelRtcError {
  return new ModelRtcError(
    'unexpected',
    `The demo's command "model-rtc ${args.join(' ')}" failed (exit code ${exitCode}).`,
  );
}
