import { findPresets } from '../presets/presets.ts';
import type { Environment } from '../presets/types.ts';
import { runnerProblem } from '../runners/known-runners.ts';
import type { Runner } from '../runners/runner-schema.ts';
import { RunnerStore } from '../runners/runner-store.ts';

/** A runner as its owner sees it. */
export interface ShownRunner {
  readonly name: string;
  /** Whether the owner declared it, or it was found on the machine. */
  readonly origin: 'owner' | 'preset';
  /** What `worker runners add` takes; undefined for one that the file has in a form that cannot be read. */
  readonly runner: Runner | undefined;
  readonly usable: boolean;
  /** Why it cannot run, as a sentence. */
  readonly reason: string | undefined;
}

/**
 * The runners of this machine: those of its owner, broken ones too, then those that were found.
 * @param root the data folder
 * @param env of the worker, whose PATH says where programs are
 * @throws ModelRtcError `storage` when the owner's file is damaged
 */
export async function showRunners(root: string, env: Environment): Promise<ShownRunner[]> {
  const own: ShownRunner[] = [];
  for (const { name, runner, problem } of await new RunnerStore(root).list()) {
    const reason =
      runner === undefined ? `Its declaration is broken: ${problem}. Add it again.` : await runnerProblem(runner, env);
    own.push({ name, origin: 'owner', runner, usable: reason === undefined, reason });
  }
  const names = new Set(own.map(({ name }) => name));
  const found = (await findPresets(env)).filter(({ runner }) => !names.has(runner.name));
  return [...own, ...found.map((preset): ShownRunner => ({ name: preset.runner.name, origin: 'preset', ...preset }))];
}
