import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The folder of the sources. */
export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** What Node needs to run a TypeScript file on the sources, in the repository's folder. */
export const SOURCE_OPTIONS = ['--import', 'tsx', '--conditions=@model-rtc/source', '--no-warnings'] as const;

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when the child has written the text to its standard output. */
  saw(text: string): Promise<void>;
  /** What it has written so far. */
  readonly written: string;
  /** Resolves with the exit code, or the signal that ended it, and all that it wrote. */
  readonly ended: Promise<{ code: number | null; signal: string | null; output: string }>;
}

/** Starts a TypeScript file as a process of its own. @param env - beside this process's */
export function startChild(file: URL, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const child = spawn(process.execPath, [...SOURCE_OPTIONS, fileURLToPath(file), ...args], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  const waiters = new Set<() => void>();
  const take = (data: Buffer): void => {
    output += data.toString('utf8');
    for (const waiter of waiters) waiter();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, output }));
  const saw = async (text: string): Promise<void> => {
    const written = new Promise<void>((resolve) => {
      const waiter = (): void => {
        if (output.includes(text)) resolve();
      };
      waiters.add(waiter);
      waiter();
    });
    const gone = ended.then(() => {
      if (!output.includes(text)) throw new Error(`the child ended without writing ${text}: ${output}`);
    });
    await Promise.race([written, gone]);
  };
  return {
    process: child,
    saw,
    ended,
    get written() {
      return output;
    },
  };
}
