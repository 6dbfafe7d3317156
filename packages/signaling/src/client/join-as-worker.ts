import { randomBytes } from 'node:crypto';
import { type Clock, type Identity, type Log, ModelRtcError, silentLog, systemClock } from '@model-rtc/protocol';
import { MAX_VISITORS_PER_ROOM } from '../limits.ts';
import { ANY_HOST } from '../messages.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { parseServerUrls, type ServerUrl } from './server-url.ts';

import type { Visitor } from './visitor-links.ts';
import { type SeatState, WorkerSeat } from './worker-seat.ts';

export interface JoinOptions {
  readonly urls: readonly string[];
  readonly identity: Identity;
  readonly log?: Log | undefined;
  /** Closes the post when it aborts. */
  readonly signal?: AbortSignal | undefined;
  readonly timers?: Clock | undefined;
  /** From 0 to below 1: spreads the attempts to reconnect. */
  readonly random?: (() => number) | undefined;
}

export interface SeatStatus {
  readonly url: string;
  readonly state: SeatState;
  /** Why it is not online. */
  readonly error: ModelRtcError | undefined;
}

/** A worker's standing place at its signaling servers. */
export interface WorkerPost {
  /**
   * Who comes, over any of the servers; one reader at a time. A visitor may leave without having said a word: a client tries
   * several URLs at once. It ends when the post is closed.
   */
  readonly visitors: AsyncIterable<Visitor>;
  states(): SeatStatus[];
  /**
   * Resolves when at least one server knows this worker.
   * @throws ModelRtcError `busy` when it was replaced everywhere, `cancelled` when the post is closed before.
   */
  whenOnline(): Promise<void>;
  /** Resolves when another run with the same key took this one's place at every server. It does not come back by itself. */
  readonly replaced: Promise<void>;
  /** Leaves every server and ends every link. */
  close(): void;
}

/**
 * Waits at signaling servers for visitors, for ever: a lost connection is made again, with growing pauses, and a server
 * that does not answer holds up no other.
 *
 * @throws ModelRtcError `bad_argument` for a URL that is none.
 */
export function joinAsWorker(options: JoinOptions): WorkerPost {
  const post = new Post(options);
  post.open();
  const { signal } = options;
  if (signal?.aborted) post.close();
  signal?.addEventListener('abort', () => post.close(), { once: true, signal: post.closing });
  return post;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: ModelRtcError) => void;
}

class Post implements WorkerPost {
  readonly visitors: BoundedQueue<Visitor>;
  readonly replaced: Promise<void>;
  readonly #seats: readonly { readonly url: string; readonly seat: WorkerSeat }[];
  readonly #waiters: Waiter[] = [];
  readonly #closing = new AbortController();
  #resolveReplaced: () => void = () => {};

  constructor({ urls, identity, log = silentLog, timers = systemClock, random = Math.random }: JoinOptions) {
    this.visitors = new BoundedQueue({ maxItems: MAX_VISITORS_PER_ROOM, maxBytes: 0 });
    this.replaced = new Promise((resolve) => {
      this.#resolveReplaced = resolve;
    });
    const instance = randomBytes(16).toString('base64url');
    const shared = {
      ...{ identity, instance, log, timers, random },
      arrived: (visitor: Visitor) => this.visitors.push(visitor),
      changed: () => this.#changed(),
    };
    const servers = parseServerUrls(urls);
    // With one server, no token of this run leads elsewhere: its room at another is worth nothing to whoever takes it.
    // So the server need not know the name by which it is dialled, as behind a NAT or a container's published port.
    const hostOf = (url: ServerUrl): string => (servers.length === 1 ? ANY_HOST : url.host);
    this.#seats = servers.map((url) => ({
      url: url.given,
      seat: new WorkerSeat({ ...shared, url, host: hostOf(url) }),
    }));
  }

  /** Aborts when the post closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  open(): void {
    for (const { seat } of this.#seats) seat.connect();
  }

  states(): SeatStatus[] {
    return this.#seats.map(({ url, seat }) => ({ url, state: seat.state, error: seat.error }));
  }

  whenOnline(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#changed();
    });
  }

  close(): void {
    if (this.closing.aborted) return;
    this.#closing.abort();
    for (const { seat } of this.#seats) seat.close();
    this.visitors.finish();
    this.#rejectWaiters(hasLeft());
  }

  #changed(): void {
    if (this.closing.aborted) this.#rejectWaiters(hasLeft());
    if (this.#seats.some(({ seat }) => seat.state === 'online')) {
      for (const { resolve } of this.#waiters.splice(0)) resolve();
    }
    const [first] = this.#seats;
    if (first === undefined || this.#seats.some(({ seat }) => seat.state !== 'replaced')) return;
    // A single server cannot end a worker that others know: it might lie.
    this.#resolveReplaced();
    this.#rejectWaiters(first.seat.error as ModelRtcError);
  }

  #rejectWaiters(error: ModelRtcError): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }
}

function hasLeft(): ModelRtcError {
  return new ModelRtcError('cancelled', 'The worker left its signaling servers.');
}
