import { ModelRtcError } from '@model-rtc/protocol';
import { cancelledBy } from '@model-rtc/transfer';

/** Work that several callers wait for, each as long as it likes. It is aborted when the last of them has left. */
export class SharedAttempt<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#result = work(this.#controller.signal);
    // Whoever waits hears of a failure; nobody may be waiting any more when it comes.
    this.#result.catch(() => {});
  }

  /** Whether nobody waits any more, so that it is of no use to anyone who comes. */
  get isAborted(): boolean {
    return this.#controller.signal.aborted;
  }

  async wait(signal?: AbortSignal | undefined): Promise<T> {
    this.#waiting += 1;
    try {
      return await untilAborted(this.#result, signal);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.abort(new ModelRtcError('cancelled', 'Cancelled.'));
    }
  }

  abort(reason: ModelRtcError): void {
    this.#controller.abort(reason);
  }
}

/** Waits for a promise, or until the signal aborts; the promise goes on by itself then. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(cancelledBy(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
