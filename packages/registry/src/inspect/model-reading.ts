import { type ResourceLimits, Worker } from 'node:worker_threads';
import { ModelRtcError } from '@model-rtc/protocol';
import type { ModelReading, ReadingReply, ReadingRequest, TaskName, TaskOptions } from './types.ts';

/**
 * The heap that reading may take: a walk that keeps the values of a checkpoint of 100,000 tensors takes some 200 MB. Unpacked
 * bytes lie beside the heap; their bound is `MAX_INFLATED_BYTES` for each level of files within files.
 */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 };
/** Imports and installations come in rows, and a start takes longer than most readings. */
const IDLE_MS = 5000;

/**
 * Reading in a thread with bounded memory, which is started when it is first needed and replaced when it dies. Node 20 cannot load
 * a .ts file in a thread, so code that runs from its sources (tests, tsx) reads in the process.
 */
export function createModelReading(limits: ResourceLimits = RESOURCE_LIMITS): ModelReading {
  const built = !import.meta.url.endsWith('.ts');
  return built ? new ReadingThread(limits) : createReadingInProcess();
}

/**
 * Starts the thread and loads what an import needs, so that both are done by the time that a registry is open.
 * @returns what `openRegistry` takes
 */
export function startModelReading(): ModelReading {
  const reading = createModelReading();
  // A thread that cannot be started says so again when it is needed.
  void reading.run('prepareImport', undefined).catch(() => {});
  return reading;
}

function createReadingInProcess(): ModelReading {
  return {
    async run(task, input, options = {}) {
      const { READING_TASKS } = await import('./reading-tasks.ts');
      try {
        return await READING_TASKS[task](input, options);
      } catch (error) {
        throw options.signal?.aborted ? cancelled(error) : error;
      }
    },
    async close() {},
  };
}

interface Job {
  readonly request: ReadingRequest;
  readonly options: TaskOptions;
  readonly onAbort: () => void;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

class ReadingThread implements ModelReading {
  readonly #limits: ResourceLimits;
  readonly #queue: Job[] = [];
  #running: Job | undefined;
  #thread: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(limits: ResourceLimits) {
    this.#limits = limits;
  }

  run(task: TaskName, input: unknown, options: TaskOptions = {}): Promise<never> {
    return new Promise<never>((resolve, reject) => {
      if (this.#isClosed || options.signal?.aborted) {
        reject(cancelled(options.signal?.reason));
        return;
      }
      const job: Job = { request: { task, input }, options, onAbort: () => this.#cancel(job), resolve, reject };
      options.signal?.addEventListener('abort', job.onAbort, { once: true });
      this.#queue.push(job);
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    const dropped = this.#drop();
    for (const job of this.#queue.splice(0)) this.#cancel(job);
    if (this.#running !== undefined) this.#cancel(this.#running);
    await dropped;
  }

  #next(): void {
    if (this.#running !== undefined || this.#isClosed) return;
    this.#running = this.#queue.shift();
    clearTimeout(this.#idle);
    if (this.#running === undefined) {
      this.#thread?.unref();
      this.#idle = setTimeout(() => void this.#drop(), IDLE_MS).unref();
      return;
    }
    this.#thread ??= this.#start();
    // Only while it works does the thread keep the process alive.
    this.#thread.ref();
    this.#thread.postMessage(this.#running.request);
  }

  #start(): Worker {
    // Otherwise a thread takes over the process's arguments, and refuses some of them (--input-type).
    const options = { execArgv: [], name: 'model-rtc-reading', resourceLimits: this.#limits };
    const thread = new Worker(new URL('./reading-thread.js', import.meta.url), options);
    const fail = (cause: unknown) => {
      if (thread !== this.#thread) return;
      this.#thread = undefined;
      this.#settle(({ reject }) => reject(endedEarly(cause)));
    };
    thread.on('message', (reply: ReadingReply) => {
      if (thread === this.#thread) this.#take(reply);
    });
    thread.on('error', fail);
    thread.on('exit', fail);
    return thread;
  }

  #take(reply: ReadingReply): void {
    if (reply.type === 'report') this.#running?.options.onReport?.(reply.found);
    else if (reply.type === 'done') this.#settle(({ resolve }) => resolve(reply.result as never));
    else this.#settle(({ reject }) => reject(ModelRtcError.fromData(reply.error)));
  }

  #settle(settleJob: (job: Job) => void): void {
    const job = this.#running;
    this.#running = undefined;
    job?.options.signal?.removeEventListener('abort', job.onAbort);
    if (job !== undefined) settleJob(job);
    this.#next();
  }

  /** A job that waits is left out; one that runs ends with its thread. */
  #cancel(job: Job): void {
    const error = cancelled(job.options.signal?.reason);
    if (job === this.#running) {
      void this.#drop();
      this.#settle(({ reject }) => reject(error));
      return;
    }
    const place = this.#queue.indexOf(job);
    if (place !== -1) this.#queue.splice(place, 1);
    job.options.signal?.removeEventListener('abort', job.onAbort);
    job.reject(error);
  }

  async #drop(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }
}

function cancelled(cause: unknown): ModelRtcError {
  return ModelRtcError.because(cause, 'cancelled', 'Cancelled; nothing was stored.');
}

function endedEarly(cause: unknown): ModelRtcError {
  const { code } = (typeof cause === 'object' && cause !== null ? cause : {}) as { readonly code?: unknown };
  if (code !== 'ERR_WORKER_OUT_OF_MEMORY') {
    return ModelRtcError.because(cause, 'unexpected', 'The thread that reads model files ended early. Try again.');
  }
  const sentence =
    'Looking into the files of this model takes more memory than is allowed. Check where the model is from.';
  return new ModelRtcError('invalid_model', sentence, { cause, details: { reason: 'memory' } });
}
