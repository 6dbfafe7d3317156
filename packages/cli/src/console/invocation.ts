import { type CommonOptions, type Context, runInContext } from './context.ts';
import type { Runtime } from './runtime.ts';

/** One run of the program: the command that the arguments name runs in it, and leaves its exit code. */
export class Invocation {
  readonly runtime: Runtime;
  exitCode = 0;
  /** Whether the arguments were refused before any command ran. */
  failed = false;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  /** Runs a command's work with what the arguments said. */
  async run(options: CommonOptions, work: (context: Context) => Promise<void>): Promise<void> {
    this.exitCode = await runInContext(this.runtime, options, work);
  }
}
