/** The entry of the thread that reads into model files, see `createReadingThread`. */
import { parentPort } from 'node:worker_threads';
import { ModelRtcError } from '@model-rtc/protocol';
import { READING_TASKS } from './reading-tasks.ts';
import type { ReadingReply, ReadingRequest, TaskOptions } from './types.ts';

parentPort?.on('message', (request: ReadingRequest) => void answer(request));

/** Requests come one at a time. */
async function answer({ task, input }: ReadingRequest): Promise<void> {
  const run = READING_TASKS[task] as (input: unknown, options: TaskOptions) => Promise<unknown>;
  try {
    reply({ type: 'done', result: await run(input, { onReport: (found) => reply({ type: 'report', found }) }) });
  } catch (thrown) {
    reply({ type: 'failed', error: ModelRtcError.from(thrown).toData() });
  }
}

function reply(message: ReadingReply): void {
  parentPort?.postMessage(message);
}
