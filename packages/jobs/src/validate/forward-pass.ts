import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckResult } from '@model-rtc/formats/validation';
import { ModelRtcError } from '@model-rtc/protocol';
import { openJobs } from '../create.ts';
import { hasRuntime, INSTALL_RUNTIME, ONNX_PROGRAM, RUNTIME_PACKAGE } from '../onnx/runtime.ts';
import { NOT_TRIED } from '../onnx/try-model.ts';
import { showRunners } from '../owner/show-runners.ts';
import { kindsOf } from '../runners/choose-runner.ts';
import type { Runner } from '../runners/runner-schema.ts';
import type { DataSets, JobModel, OpenJobsOptions, ResultsPort } from '../types.ts';

/** For a runner of ours; the owner's own say it themselves. */
const TRIAL_SECONDS = 300;
const OWNER = 'validate';
const MAX_LINE_CHARS = 1000;

export interface ForwardPassOptions {
  /** The data folder, with the owner's runners. */
  readonly root: string;
  readonly env: OpenJobsOptions['env'];
  readonly signal: AbortSignal | undefined;
}

/** Our own program, on numbers that it makes itself. */
const TRY_ONNX: Runner = {
  name: 'onnx',
  args: [process.execPath, ONNX_PROGRAM, '--model={checkpoint}', '--try'],
  types: ['onnx'],
  limits: { time: TRIAL_SECONDS },
};

/**
 * Runs a model once: with a runner that the owner of this machine declared for that (`validates`), else with ours where it is an ONNX
 * model. Nothing of the model's own code runs, unless the owner's runner allows it.
 */
export async function forwardPass(model: JobModel, options: ForwardPassOptions): Promise<CheckResult> {
  const chosen = await chooseRunner(model, options);
  if (typeof chosen === 'string') return { check: 'forward', outcome: 'skipped', detail: chosen };
  const root = await mkdtemp(join(tmpdir(), 'model-rtc-validate-'));
  try {
    return await runHere(chosen, model, root, options);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** @returns why there is none, as a sentence */
async function chooseRunner(model: JobModel, { root, env }: ForwardPassOptions): Promise<Runner | string> {
  const kinds = kindsOf(model);
  const takes = ({ types }: Runner) => types === undefined || types.some((type) => kinds.includes(type));
  const declared = (await showRunners(root, env)).filter(({ origin, runner }) => {
    return origin === 'owner' && runner?.validates === true && takes(runner);
  });
  const usable = declared.find((one) => one.usable)?.runner;
  if (usable !== undefined) return usable;
  const [broken] = declared;
  if (broken !== undefined) return `The runner ${broken.name} cannot run here: ${broken.reason ?? ''}`.trim();
  if (model.checkpoint?.toLowerCase().endsWith('.onnx') !== true) {
    return `No runner of this machine validates models of ${kinds.join(', ') || 'no known type'}. Declare one: docs/track.md.`;
  }
  return hasRuntime() ? TRY_ONNX : `${RUNTIME_PACKAGE} is not installed. ${INSTALL_RUNTIME}`;
}

/** A job needs no data, and what it writes is thrown away. */
const NO_DATA: DataSets = { find: async () => undefined, place: async () => undefined };
const NO_RESULTS: ResultsPort = { keep: async () => undefined };

/** As a job of its own, in a folder of its own: with the limits, the confinement and the ending of all processes that jobs have. */
async function runHere(
  runner: Runner,
  model: JobModel,
  root: string,
  { root: dataFolder, env, signal }: ForwardPassOptions,
): Promise<CheckResult> {
  await using jobs = await openJobs({
    ...{ root, env, dataSets: NO_DATA, results: NO_RESULTS, hidden: [dataFolder] },
    presets: async () => [{ runner, usable: true, reason: undefined }],
  });
  try {
    const request = { owner: OWNER, models: [model], data: [], runner: runner.name, settings: {} };
    const { job } = await jobs.submit(request);
    let last = '';
    for await (const events of jobs.events(OWNER, job.id, { signal })) {
      for (const event of events) if (event.type === 'log' && event.text.trim() !== '') last = event.text;
    }
    const { state, exit, error } = await jobs.get(OWNER, job.id);
    const said = last.trim().slice(0, MAX_LINE_CHARS);
    if (state === 'completed') return { check: 'forward', outcome: 'passed', detail: said || `${runner.name} ran it.` };
    const isUnknown = runner === TRY_ONNX && exit?.code === NOT_TRIED;
    const why = exit?.code === undefined || said === '' ? (error?.message ?? said) : said;
    return { check: 'forward', outcome: isUnknown ? 'skipped' : 'failed', detail: `${runner.name}: ${why}` };
  } catch (thrown) {
    const error = ModelRtcError.from(thrown);
    if (error.code !== 'refused') throw error;
    return { check: 'forward', outcome: 'skipped', detail: error.message };
  }
}
