import { ModelRtcError } from '@model-rtc/protocol';
import type { WorkerModelInfo } from '../resolve-at-worker.ts';
import type { WorkerServices } from '../worker-services.ts';
import { WorkerNames } from './worker-names.ts';

/** What a reference names, and the worker that said so. */
export interface FoundModel {
  readonly info: WorkerModelInfo;
  readonly worker: WorkerServices;
}

type Answer = { readonly info: WorkerModelInfo } | { readonly error: ModelRtcError };
/** @param signal - aborts once the answer is of no use any more. */
export type AskOne = (worker: WorkerServices, signal: AbortSignal) => Promise<WorkerModelInfo>;

/** A worker that was named before the one that answered is waited for so long: the order decides what a name means. */
const EARLIER_WORKER_MS = 1_000;

/**
 * Asks all workers at once what a reference names; the first in their order that knows it decides. The others are asked no
 * more then: what they say while the transfer runs would pass for progress of it.
 *
 * @throws ModelRtcError `not_found` when all answer and none has it; else what kept one of them from answering
 */
export async function findModel(
  workers: readonly WorkerServices[],
  ask: AskOne,
  signal?: AbortSignal | undefined,
): Promise<FoundModel> {
  const over = new AbortController();
  const asking = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  try {
    return await firstAnswer(workers, (worker) => ask(worker, asking));
  } finally {
    over.abort(new ModelRtcError('cancelled', 'What the name means is settled.'));
  }
}

async function firstAnswer(
  workers: readonly WorkerServices[],
  ask: (worker: WorkerServices) => Promise<WorkerModelInfo>,
): Promise<FoundModel> {
  const [first] = workers;
  if (first === undefined) throw new ModelRtcError('bad_argument', 'Name a worker to take the model from.');
  const answers = new Map<WorkerServices, Answer>();
  return await new Promise<FoundModel>((resolve, reject) => {
    let isLate = false;
    const settle = (): void => {
      for (const worker of workers) {
        const answer = answers.get(worker);
        if (answer === undefined && !isLate) return;
        if (answer === undefined || !('info' in answer)) continue;
        resolve({ info: answer.info, worker });
        return;
      }
      if (answers.size === workers.length) reject(noneHasIt(workers, answers));
    };
    const take = async (worker: WorkerServices): Promise<void> => {
      const answer = await answerOf(worker, ask);
      answers.set(worker, answer);
      settle();
      if (!('info' in answer) || workers.length === 1) return;
      await first.time.wait(EARLIER_WORKER_MS).catch(() => {});
      isLate = true;
      settle();
    };
    for (const worker of workers) void take(worker);
  });
}

async function answerOf(
  worker: WorkerServices,
  ask: (worker: WorkerServices) => Promise<WorkerModelInfo>,
): Promise<Answer> {
  try {
    return { info: await ask(worker) };
  } catch (error) {
    return { error: ModelRtcError.from(error) };
  }
}

function noneHasIt(workers: readonly WorkerServices[], answers: ReadonlyMap<WorkerServices, Answer>): ModelRtcError {
  const names = new WorkerNames(workers.map(({ known }) => known));
  const failures = workers.flatMap((worker) => {
    const answer = answers.get(worker);
    return answer !== undefined && 'error' in answer ? [{ name: names.of(worker.known), error: answer.error }] : [];
  });
  // One that could not be asked may have the model.
  const { error } =
    failures.find((one) => one.error.code !== 'not_found') ?? (failures[0] as (typeof failures)[number]);
  if (failures.length === 1 || error.code === 'cancelled') return error;
  const sentences = failures.map((one) => `${one.name}: ${one.error.message}`);
  return new ModelRtcError(error.code, sentences.join(' '), { cause: error, details: error.details });
}
