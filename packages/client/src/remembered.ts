import type { WorkerServices } from './worker-services.ts';

/** Keeps what was seen of a worker. What was asked for is done by then, so that a failure here must not undo it. */
export async function remembered({ log, known }: WorkerServices, record: () => Promise<void>): Promise<void> {
  try {
    await record();
  } catch (error) {
    log.warn({ err: error, worker: known.key }, 'what was seen of the worker could not be kept');
  }
}
