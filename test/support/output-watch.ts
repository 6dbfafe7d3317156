import { StringDecoder } from 'node:string_decoder';

/** What matched: the whole and its groups. */
export type Match = RegExpMatchArray;

interface Waiter {
  readonly pattern: RegExp;
  resolve(match: Match): void;
  reject(reason: string): void;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** The text that a process writes to one stream, and the waits for something in it. */
export class OutputWatch {
  readonly #name: string;
  readonly #decoder = new StringDecoder('utf8');
  readonly #waiters = new Set<Waiter>();
  #text = '';
  #ended: string | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  get text(): string {
    return this.#text;
  }

  add(data: Buffer): void {
    this.#text += this.#decoder.write(data);
    for (const waiter of this.#waiters) {
      const match = this.#text.match(waiter.pattern);
      if (match !== null) waiter.resolve(match);
    }
  }

  /**
   * Says that nothing more will come.
   * @param how the process ended: its exit code or signal
   */
  end(how: string): void {
    this.#ended = `it ended with ${how}`;
    for (const waiter of this.#waiters) waiter.reject(this.#ended);
  }

  /**
   * Resolves as soon as all the text so far has the pattern in it.
   * @param describe the process and its output, for the error
   */
  async waitFor(pattern: RegExp | string, describe: () => string, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Match> {
    const expression = typeof pattern === 'string' ? new RegExp(escapeRegExp(pattern)) : pattern;
    if (expression.global || expression.sticky) throw new Error(`${expression} must have neither flag g nor y`);
    const already = this.#text.match(expression);
    if (already !== null) return already;
    const { waiter, promise } = createWaiter(expression, (why) => {
      return new Error(`${this.#name} has no ${expression} (${why}): ${describe()}`);
    });
    this.#waiters.add(waiter);
    const timer = setTimeout(() => waiter.reject(`waited ${timeoutMs} ms`), timeoutMs);
    if (this.#ended !== undefined) waiter.reject(this.#ended);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }
}

function createWaiter(pattern: RegExp, error: (why: string) => Error): { waiter: Waiter; promise: Promise<Match> } {
  const settle: { resolve?: (match: Match) => void; reject?: (error: Error) => void } = {};
  const promise = new Promise<Match>((resolve, reject) => Object.assign(settle, { resolve, reject }));
  const waiter: Waiter = {
    pattern,
    resolve: (match) => settle.resolve?.(match),
    reject: (why) => settle.reject?.(error(why)),
  };
  return { waiter, promise };
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
