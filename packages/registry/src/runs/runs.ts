import type { RegistryContext } from '../registry-context.ts';
import type { RegistryEntry } from '../registry-types.ts';

/** A training run whose files are not settled: it has a run id and no digest. */
export interface RunState {
  /** The run's folder, absolute. */
  readonly path: string;
  readonly status: 'training' | 'interrupted' | 'failed';
}

/** Models that are not whole yet. */
export interface Runs {
  /** Registers a training run, or brings its metrics and status up to date. Nothing is hashed or linked. */
  recordRun(run: RunState): Promise<RegistryEntry>;
  /** Takes out the entry of a run, when it is done or gone. Its files are not touched. */
  forgetRun(path: string): Promise<void>;
}

/** The command that goes on with an interrupted run, to be run in its folder; undefined when its tool has none. */
export function resumeCommand(_entry: RegistryEntry): string | undefined {
  throw new Error('not built yet');
}

export function createRuns(_context: RegistryContext): Runs {
  return {} as Runs; // BEING BUILT
}
