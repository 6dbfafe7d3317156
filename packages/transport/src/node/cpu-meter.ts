import { cpus } from 'node:os';
import type { CpuLoad } from '../core/connect/components.ts';

/** Less than this of all processors' time left over counts as nothing. */
const LEAST_IDLE = 0.15;

interface Times {
  readonly idle: number;
  readonly all: number;
}

/** Tells whether the processor is what holds everything up, on the whole machine: the kernel works for us, too. */
export class CpuMeter implements CpuLoad {
  readonly #read: () => Times;
  #last: Times;

  constructor(read: () => Times = readTimes) {
    this.#read = read;
    this.#last = read();
  }

  isBound(): boolean {
    const now = this.#read();
    const { idle, all } = this.#last;
    this.#last = now;
    return now.all > all && (now.idle - idle) / (now.all - all) < LEAST_IDLE;
  }
}

function readTimes(): Times {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.idle + times.user + times.nice + times.sys + times.irq;
  }
  return { idle, all };
}
