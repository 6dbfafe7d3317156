export { openJobs } from './create.ts';
export { type ShownRunner, showRunners } from './owner/show-runners.ts';
export { type RunnerTrial, tryRunner } from './owner/try-runner.ts';
export { findPresets } from './presets/presets.ts';
export { runnerProblem } from './runners/known-runners.ts';
export { type Runner, runnerSchema } from './runners/runner-schema.ts';
export { parseRunner, RunnerStore, type StoredRunner } from './runners/runner-store.ts';
export type * from './types.ts';
export { type ForwardPassOptions, forwardPass } from './validate/forward-pass.ts';
