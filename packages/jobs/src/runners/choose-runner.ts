import { extname } from 'node:path';
import { weightsType } from '@model-rtc/formats';
import { type JobData, ModelRtcError } from '@model-rtc/protocol';
import type { FoundRunner, JobModel } from '../types.ts';
import { hasPlaceholder } from './placeholders.ts';
import type { Runner } from './runner-schema.ts';

/** What is to be run. */
export interface RunnerRequest {
  /** The runner that the client asked for, if it did. */
  readonly runner: string | undefined;
  readonly models: readonly JobModel[];
  readonly data: readonly { readonly data: JobData; readonly paths: readonly string[] }[];
  /** An interrupted training is to go on. */
  readonly isResume: boolean;
}

/**
 * The runner of a job: the one that was asked for, else the one that takes these models and data. One that names the types that
 * it takes goes before one that takes any.
 * @param runners those of the owner before those that were found on the machine
 * @throws ModelRtcError `not_found` when there is none, `ambiguous` when several would do, `bad_argument` when the one that was
 * asked for takes no such models or data, `refused` when it cannot run on this machine
 */
export function chooseRunner(runners: readonly FoundRunner[], request: RunnerRequest): Runner {
  if (request.runner !== undefined) return namedRunner(runners, request.runner, request);
  // One that validates gives no results.
  const fitting = runners.filter(({ runner }) => runner.validates !== true && mismatch(runner, request) === undefined);
  const usable = fitting.filter((found) => found.usable).map((found) => found.runner);
  const specific = usable.filter(({ types }) => types !== undefined);
  const candidates = specific.length > 0 ? specific : usable;
  const [first, ...others] = candidates;
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined) throw severalFit(candidates, request);
  throw noneFits(runners, fitting, request);
}

function namedRunner(runners: readonly FoundRunner[], name: string, request: RunnerRequest): Runner {
  const found = runners.find(({ runner }) => runner.name === name);
  if (found === undefined) {
    const names = runners.filter(({ usable }) => usable).map(({ runner }) => runner.name);
    const known = names.length === 0 ? 'It has none that can run.' : `It has ${names.join(', ')}.`;
    throw new ModelRtcError('not_found', `The worker has no runner named ${name}. ${known}`, {
      details: { runners: names },
    });
  }
  if (!found.usable) throw unusable(found);
  const problem = mismatch(found.runner, request);
  if (problem !== undefined)
    throw new ModelRtcError('bad_argument', `The runner ${name} ${problem}. Choose another with --runner.`, {
      details: { runner: name },
    });
  return found.runner;
}

/** Why a runner does not take what is to be run, as the end of a sentence; undefined when it does. */
function mismatch(runner: Runner, { models, data, isResume }: RunnerRequest): string | undefined {
  const { types, inputs, args, resume } = runner;
  if (isResume && resume === undefined) return 'cannot resume a training';
  const other =
    types === undefined ? undefined : models.find((model) => !kindsOf(model).some((kind) => types.includes(kind)));
  if (other !== undefined)
    return `runs models of type ${types?.join(', ')}, and ${nameOf(other)} is ${kindsText(other)}`;
  if (isResume) return undefined;
  if (models.length > 1 && !hasPlaceholder(args, 'models')) return `runs one model at a time, not ${models.length}`;
  if (data.length > 1 && !hasPlaceholder(args, 'inputs'))
    return `takes one file or folder at a time, not ${data.length}`;
  if (inputs === undefined) return undefined;
  // In a folder, files of other kinds may lie beside those that it reads.
  const unread = data.find(({ paths }) => !paths.some((path) => inputs.includes(extname(path).toLowerCase())));
  return unread === undefined ? undefined : `reads ${inputs.join(', ')}, and ${unread.data.name} has none of these`;
}

/** What a model is: its type, the tool that it is for, and the kind of its main file. */
export function kindsOf({ modelType, framework, checkpoint }: JobModel): string[] {
  const kinds = [modelType, framework, checkpoint === undefined ? undefined : weightsType(checkpoint)];
  return [...new Set(kinds.filter((kind) => kind !== undefined && kind !== 'file'))] as string[];
}

function kindsText(model: JobModel): string {
  const [first = 'of no known type', ...others] = kindsOf(model);
  return others.length === 0 ? first : `${first} (${others.join(', ')})`;
}

function nameOf({ alias, id }: JobModel): string {
  return alias ?? id;
}

function modelsText({ models, data }: RunnerRequest): string {
  const names = models.map((model) => `${nameOf(model)}, which is ${kindsText(model)}`).join(', and ');
  const files = data.map((one) => one.data.name).join(', ');
  return files === '' ? names : names === '' ? files : `${names}, on ${files}`;
}

function severalFit(runners: readonly Runner[], request: RunnerRequest): ModelRtcError {
  const names = runners.map(({ name }) => name);
  const message = `Several runners of the worker can run ${modelsText(request)}. Choose one with --runner: ${names.join(', ')}.`;
  return new ModelRtcError('ambiguous', message, { details: { runners: names } });
}

/** A runner that would do, but cannot run here, is the one to talk about. */
function noneFits(
  runners: readonly FoundRunner[],
  fitting: readonly FoundRunner[],
  request: RunnerRequest,
): ModelRtcError {
  const [first] = fitting;
  if (first !== undefined) return unusable(first);
  const names = runners.filter(({ usable }) => usable).map(({ runner }) => `${runner.name} (${kindsOfRunner(runner)})`);
  const known = names.length === 0 ? 'It has none that can run.' : `It has ${names.join(', ')}.`;
  return new ModelRtcError(
    'not_found',
    `No runner of the worker runs ${modelsText(request)}. ${known} Its owner can add one with: model-rtc worker runners add`,
    { details: { runners: runners.map(({ runner }) => runner.name) } },
  );
}

function kindsOfRunner({ types, inputs }: Runner): string {
  const models = types === undefined ? 'any model' : types.join(', ');
  return inputs === undefined ? models : `${models}; reads ${inputs.join(' ')}`;
}

function unusable({ runner, reason = '' }: FoundRunner): ModelRtcError {
  return new ModelRtcError('refused', `The runner ${runner.name} cannot run on the worker: ${reason}`.trim(), {
    details: { runner: runner.name },
  });
}
