import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { cannotStart } from './launch-error.ts';
import type { Command } from './types.ts';

/** How a program ended. */
export interface ProgramExit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export interface LaunchedProgram {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when it has ended; what it started may go on. */
  readonly exited: Promise<ProgramExit>;
  /** Ends the output, although something holds it open. */
  closeOutput(): void;
}

/**
 * Starts a program without a shell, as the leader of a process group and session of its own, with nothing to read.
 * @throws ModelRtcError `not_found` when the system cannot start it
 */
export async function launch({ argv, cwd, env }: Command): Promise<LaunchedProgram> {
  const [file, ...args] = argv;
  const child = start(file, args, cwd, env);
  const output = { stdout: readNow(child.stdout), stderr: readNow(child.stderr) };
  const exited = new Promise<ProgramExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw cannotStart(file, startProblem(error), error);
  }
  return {
    ...{ pid: child.pid as number, ...output, exited },
    closeOutput: () => {
      for (const stream of [child.stdout, child.stderr, output.stdout, output.stderr]) stream.destroy();
    },
  };
}

/** Node throws away what nobody reads when a program ends, which a short one does before its reader is there. */
function readNow(stream: Readable): Readable {
  const output = stream.pipe(new PassThrough());
  // A pipe that breaks says what the exit says.
  stream.on('error', () => output.end());
  return output;
}

function start(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): ChildProcessByStdio<null, Readable, Readable> {
  try {
    return spawn(file, args, {
      cwd,
      env,
      detached: true,
      shell: false,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
  } catch (error) {
    throw cannotStart(file, startProblem(error), error);
  }
}

function startProblem(thrown: unknown): string {
  const { code, message } = thrown as NodeJS.ErrnoException;
  return code === 'E2BIG' ? 'its arguments are too long' : (code ?? message);
}
