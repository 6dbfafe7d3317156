import type { KnownWorker } from '@model-rtc/registry';
import type { Context } from '../console/context.ts';

/** What a person calls a worker. */
export type WorkerNamer = (worker: KnownWorker) => string;

/** The name that a session of the worker is saved under here; what the worker calls itself when there is none. */
export async function workerNamer(context: Context): Promise<WorkerNamer> {
  const saved = await savedNames(context);
  return ({ key, name }) => saved.get(key) ?? name;
}

/** By the workers' keys. Damaged settings are reported where they are needed, and not by a list. */
async function savedNames(context: Context): Promise<ReadonlyMap<string, string>> {
  const { SavedWorkers } = await import('@model-rtc/client');
  try {
    const saved = (await SavedWorkers.open(context.home)).list();
    return new Map(saved.map(({ workerKey, name }) => [workerKey, name]));
  } catch (error) {
    context.log.warn({ err: error }, 'the saved workers cannot be read');
    return new Map();
  }
}
