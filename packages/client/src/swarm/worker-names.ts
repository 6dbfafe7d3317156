import type { KnownWorker } from '@model-rtc/registry';

/** Hex digits of a key that tell the workers of one person apart. */
const KEY_DIGITS = 8;

/** What a worker is called that nobody has named yet. */
export function unnamedWorker(key: string): string {
  return `worker ${key.slice(0, KEY_DIGITS)}`;
}

/**
 * What the workers of one transfer are called: each by its own name, and with the start of its key where another one has that
 * name, too. What is counted by these names is counted by worker.
 */
export class WorkerNames {
  readonly #workers: readonly KnownWorker[];
  /** By key: what came under a name is not to be split when the worker is called otherwise later. */
  readonly #kept = new Map<string, string>();

  /** @param workers - as they are known; a worker's own name takes the place of the saved one when it is reached. */
  constructor(workers: readonly KnownWorker[]) {
    this.#workers = workers;
  }

  of({ key, name }: KnownWorker): string {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const others = this.#workers.filter((other) => other.key !== key);
    const taken = new Set(others.flatMap((other) => [other.name, this.#kept.get(other.key)]));
    const names = [name, `${name} (${key.slice(0, KEY_DIGITS)})`];
    // A worker can call itself anything, also what another one is told apart by.
    return names.find((one) => !taken.has(one)) ?? `${name} (${key})`;
  }

  /** The name from now on, whatever the worker calls itself later. */
  keep(known: KnownWorker): string {
    const name = this.of(known);
    this.#kept.set(known.key, name);
    return name;
  }
}
