import { freeBytes } from '@model-rtc/files';
import { type Clock, type ErrorCode, type ErrorData, formatBytes } from '@model-rtc/protocol';
import {
  MAX_OUTPUT_FILES,
  MAX_PROCESSES,
  MEASURE_INTERVAL_MS,
  MEASURE_OUTPUT_INTERVAL_MS,
  MIN_FREE_BYTES,
  USAGE_INTERVAL_MS,
} from '../limits.ts';
import { measureFolders } from './folder-size.ts';
import { gpuMemoryBytes } from './gpu-memory.ts';
import type { JobProcesses } from './job-processes.ts';
import type { ProcessInfo, ProcessTable, ResourceLimits, Tool, Usage } from './types.ts';

export interface WatchOptions {
  readonly processes: JobProcesses;
  readonly table: ProcessTable;
  readonly nvidiaSmi: Tool;
  readonly limits: ResourceLimits;
  /** The folders that the job writes to. */
  readonly folders: readonly string[];
  readonly clock: Clock;
  /** Called every few seconds. */
  readonly onUsage: (usage: Usage) => void;
  /** Called once, when a limit is passed. */
  readonly onPassed: (error: ErrorData) => void;
}

/** Measures a job until `close`, and says when it passes a limit. A program that prints nothing is no reason to end it. */
export class LimitWatch implements AsyncDisposable {
  readonly #options: WatchOptions;
  readonly #stops: (() => void)[] = [];
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** By process id and start. */
  #cpuSeconds = new Map<string, number>();
  #cpuSecondsOfEnded = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
    const { clock, limits } = options;
    const { timeMs } = limits;
    if (timeMs !== undefined) {
      const most = `it ran for longer than the ${timeMs / 1000} s that its runner allows`;
      const message = `${most}. Use less data, or ask the worker's owner for more time.`;
      this.#stops.push(clock.after(timeMs, () => this.#pass('time', message, 'timeout')));
    }
    this.#every(MEASURE_INTERVAL_MS, () => this.#checkProcesses());
    this.#every(MEASURE_OUTPUT_INTERVAL_MS, () => this.#checkOutput());
    this.#every(USAGE_INTERVAL_MS, () => this.#report());
  }

  /** Checks what was written once more: a job can write much between two looks, and end. */
  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work;
    await this.#report();
    await this.#checkOutput();
    this.#isClosed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    this.#isClosed = true;
    await this.#work;
  }

  /** One look at a time, and none that waits twice: on a busy machine one takes longer than the interval. */
  #every(intervalMs: number, look: () => Promise<void>): void {
    let isWaiting = false;
    const start = (): void => {
      if (isWaiting) return;
      isWaiting = true;
      this.#work = this.#work
        .then(look)
        // What cannot be measured now can be the next time.
        .catch(() => undefined)
        .finally(() => {
          isWaiting = false;
        });
    };
    this.#stops.push(this.#options.clock.every(intervalMs, start));
  }

  #pass(limit: string, what: string, code: ErrorCode = 'refused'): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onPassed({ code, message: `Stopped: ${what}`, details: { limit } });
  }

  async #measure(): Promise<Usage & { readonly pids: readonly number[] }> {
    const found = await this.#options.processes.find();
    return {
      cpuSeconds: this.#sumCpuSeconds(found),
      memoryBytes: found.reduce((sum, one) => sum + one.memoryBytes, 0),
      processes: found.length,
      gpuMemoryBytes: undefined,
      pids: found.map(({ pid }) => pid),
    };
  }

  #sumCpuSeconds(found: readonly ProcessInfo[]): number {
    const now = new Map(found.map(({ pid, started, cpuSeconds }) => [`${pid} ${started}`, cpuSeconds]));
    for (const [key, seconds] of this.#cpuSeconds) if (!now.has(key)) this.#cpuSecondsOfEnded += seconds;
    this.#cpuSeconds = now;
    return [...now.values()].reduce((sum, one) => sum + one, this.#cpuSecondsOfEnded);
  }

  async #checkProcesses(): Promise<void> {
    const { memoryBytes, processes, pids } = await this.#measure();
    if (processes > MAX_PROCESSES) {
      this.#pass('processes', `it started more than ${MAX_PROCESSES} processes. Let it start fewer.`);
    }
    const max = this.#options.limits.memoryBytes;
    if (max === undefined || memoryBytes <= max) return;
    // Memory that processes share was counted for each of them. This takes longer, and is asked when it matters.
    const own = (await this.#options.table.ownMemoryBytes(pids)) ?? memoryBytes;
    if (own <= max) return;
    const sizes = `it used ${formatBytes(own)} of memory, and its runner allows ${formatBytes(max)}`;
    this.#pass('memory', `${sizes}. Use a smaller batch, or ask the worker's owner for more memory.`);
  }

  async #checkOutput(): Promise<void> {
    const { folders, limits } = this.#options;
    const size = await measureFolders(folders, { maxBytes: limits.outputBytes, maxFiles: MAX_OUTPUT_FILES });
    if (size.bytes > limits.outputBytes) {
      const most = `it wrote more than the ${formatBytes(limits.outputBytes)} that its runner allows`;
      this.#pass('output', `${most}. Use less data, or ask the worker's owner to allow more output.`);
    }
    if (size.files > MAX_OUTPUT_FILES) {
      this.#pass('files', `it made more than ${MAX_OUTPUT_FILES} files. Let the program write fewer, larger ones.`);
    }
    const free = await freeBytes(folders[0] as string);
    if (free >= MIN_FREE_BYTES) return;
    const left = `the worker's disk is full (${formatBytes(free)} left). Ask the worker's owner to free some space.`;
    this.#pass('disk', left, 'storage_full');
  }

  async #report(): Promise<void> {
    const usage = await this.#measure();
    const gpu = await gpuMemoryBytes(this.#options.nvidiaSmi, new Set(usage.pids));
    this.#options.onUsage({ ...usage, gpuMemoryBytes: gpu });
  }
}
