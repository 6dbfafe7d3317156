import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** A stream that may be a terminal. */
export type ConsoleStream = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined };

/** Ctrl+C, the end that systems ask for, and a terminal that is closed. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** The parts of the process that the command line uses, passed in so that nothing else accesses them. */
export interface Runtime {
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined };
  readonly stdout: ConsoleStream;
  readonly stderr: ConsoleStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Undefined for a user without one. */
  readonly userHome: string | undefined;
  /** Calls back at Ctrl+C, SIGTERM, and SIGHUP, which a closed terminal sends. @returns how to stop listening. */
  onInterrupt(listener: (signal: EndingSignal) => void): () => void;
}

/** Whether standard error is a terminal that can move its cursor: to draw a bar on, or to ask. TERM=dumb says that it cannot. */
export function isCapable({ stderr, env }: Pick<Runtime, 'stderr' | 'env'>): boolean {
  return stderr.isTTY === true && env.TERM !== 'dumb' && stderr.columns !== 0;
}

/** Resolves when the signal aborts: the normal end of a command that serves until Ctrl+C. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
