import { cpus } from 'node:os';
import type { CpuLoad } from '../core/connect/components.ts';

/** If less than this part of all processors' time is idle, they are the bottleneck. */
const LEAST_IDLE = 0.15;

interface Times {
  readonly idle: number;
  readonly all: number;
}

/** Tells whether the machine's processors are the bottleneck, the kernel's work included. */
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
