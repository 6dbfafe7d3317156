import {
  type Clock,
  deferred,
  type Identity,
  type Log,
  ModelRtcError,
  silentLog,
  systemClock,
  toBase64Url,
} from '@model-rtc/protocol';
import { MAX_VISITORS_PER_ROOM } from '../limits.ts';
import { ANY_HOST } from '../messages.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { type RegistrationState, ServerRegistration } from './server-registration.ts';
import { parseServerUrls, type ServerUrl } from './server-url.ts';
import type { Visitor } from './visitor-links.ts';
import type { OpenWebSocket } from './web-socket.ts';

export interface JoinOptions {
  readonly urls: readonly string[];
  /** That of a server of this worker's own, which takes no signature for any name (`takesAnyHost`): it does not count as a second server. */
  readonly ownUrl?: string | undefined;
  readonly identity: Identity;
  /** 22 characters of base64url. Registrations of one identity with the same share its room; a random one when left out. */
  readonly instance?: string | undefined;
  readonly log?: Log | undefined;
  /** Closes the registration when it aborts. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** From 0 to below 1: spreads the attempts to reconnect. */
  readonly random?: (() => number) | undefined;
  /** How long it tries to come back to its servers while none of them answers, in milliseconds; for ever when left out. */
  readonly maxReconnectMs?: number | undefined;
}

export interface RegistrationStatus {
  readonly url: string;
  readonly state: RegistrationState;
  /** Why it is not online. */
  readonly error: ModelRtcError | undefined;
}

/** A worker's standing place at its signaling servers. */
export interface WorkerRegistration {
  /**
   * Visitors from all servers; one reader at a time. A visitor may leave without sending anything, because a client tries
   * several URLs at once. It ends when the registration is closed.
   */
  readonly visitors: AsyncIterable<Visitor>;
  states(): RegistrationStatus[];
  /** Waits at these servers from now on, and leaves the others. @throws ModelRtcError `bad_argument` for an invalid URL: nothing changes */
  setUrls(urls: readonly string[], ownUrl?: string): void;
  /**
   * Resolves when at least one server knows this worker.
   * @throws ModelRtcError `busy` when it was replaced everywhere, `cancelled` when the registration is closed before.
   */
  whenOnline(): Promise<void>;
  /** Resolves when another run with the same key took this one's place at every server. It does not come back by itself. */
  readonly replaced: Promise<void>;
  /** Resolves when no server took this worker for `maxReconnectMs`. It goes on trying until it is closed. */
  readonly lost: Promise<ModelRtcError>;
  /** Leaves every server and ends every link. */
  close(): void;
}

export function joinAsWorker(options: JoinOptions, openWebSocket: OpenWebSocket): WorkerRegistration {
  const registration = new Registrations(options, openWebSocket);
  registration.open();
  const { signal } = options;
  if (signal?.aborted) registration.close();
  signal?.addEventListener('abort', () => registration.close(), { once: true, signal: registration.closing });
  return registration;
}

interface Registered {
  readonly url: string;
  /** What it signs for. */
  readonly host: string;
  readonly registration: ServerRegistration;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: ModelRtcError) => void;
}

class Registrations implements WorkerRegistration {
  readonly visitors: BoundedQueue<Visitor>;
  readonly #replaced = deferred<void>();
  readonly #create: (url: ServerUrl, host: string) => ServerRegistration;
  #registrations: readonly Registered[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #closing = new AbortController();
  readonly #lost = deferred<ModelRtcError>();
  /** Undefined while a server knows this worker. */
  #cancelLost: (() => void) | undefined;
  readonly #clock: Clock;
  readonly #maxReconnectMs: number | undefined;

  constructor(options: JoinOptions, openWebSocket: OpenWebSocket) {
    const { urls, identity, log = silentLog, clock = systemClock, random = Math.random } = options;
    this.visitors = new BoundedQueue({ maxItems: MAX_VISITORS_PER_ROOM, maxBytes: 0 });
    this.#clock = clock;
    this.#maxReconnectMs = options.maxReconnectMs;
    const { instance = toBase64Url(crypto.getRandomValues(new Uint8Array(16))) } = options;
    const shared = {
      ...{ identity, instance, log, clock, random, openWebSocket },
      onVisitor: (visitor: Visitor) => this.visitors.push(visitor),
      onChange: () => this.#changed(),
    };
    this.#create = (url, host) => new ServerRegistration({ ...shared, url, host });
    this.#registrations = this.#registrationsAt(urls, options.ownUrl);
  }

  get replaced(): Promise<void> {
    return this.#replaced.promise;
  }

  get lost(): Promise<ModelRtcError> {
    return this.#lost.promise;
  }

  /** Aborts when the registration closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  open(): void {
    this.#watchLoss(false);
    for (const { registration } of this.#registrations) registration.connect();
  }

  states(): RegistrationStatus[] {
    return this.#registrations.map(({ url, registration }) => ({
      url,
      state: registration.state,
      error: registration.error,
    }));
  }

  setUrls(urls: readonly string[], ownUrl?: string): void {
    if (this.closing.aborted) return;
    const before = this.#registrations;
    this.#registrations = this.#registrationsAt(urls, ownUrl);
    for (const one of before) if (!this.#registrations.includes(one)) one.registration.close();
    for (const one of this.#registrations) if (!before.includes(one)) one.registration.connect();
    this.#changed();
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
    this.#cancelLost?.();
    for (const { registration } of this.#registrations) registration.close();
    this.visitors.finish();
    this.#rejectWaiters(hasLeft());
  }

  /** Those that are there, and new ones. One that signed for another name is made anew. */
  #registrationsAt(urls: readonly string[], ownUrl: string | undefined): Registered[] {
    const servers = parseServerUrls(urls);
    const others = servers.filter(({ given }) => given !== ownUrl);
    // With one server, no token of this run leads elsewhere: its room at another server is worthless.
    // So the server need not know the name by which it is dialled, as behind a NAT or a container's published port.
    const hostOf = (url: ServerUrl): string => (others.length === 1 && others[0] === url ? ANY_HOST : url.host);
    return servers.map((url) => {
      const host = hostOf(url);
      const known = this.#registrations.find((one) => one.url === url.given && one.host === host);
      return known ?? { url: url.given, host, registration: this.#create(url, host) };
    });
  }

  #changed(): void {
    if (this.closing.aborted) this.#rejectWaiters(hasLeft());
    const isOnline = this.#registrations.some(({ registration }) => registration.state === 'online');
    if (isOnline) for (const { resolve } of this.#waiters.splice(0)) resolve();
    this.#watchLoss(isOnline);
    const [first] = this.#registrations;
    if (first === undefined || this.#registrations.some(({ registration }) => registration.state !== 'replaced'))
      return;
    // A single server cannot end a worker that others know: it might lie.
    this.#replaced.resolve();
    this.#rejectWaiters(first.registration.error as ModelRtcError);
  }

  /** Counts the time from when the last server was lost. */
  #watchLoss(isOnline: boolean): void {
    const maxMs = this.#maxReconnectMs;
    if (maxMs === undefined || this.closing.aborted) return;
    if (isOnline) {
      this.#cancelLost?.();
      this.#cancelLost = undefined;
    } else this.#cancelLost ??= this.#clock.after(maxMs, () => this.#lost.resolve(this.#whyLost(maxMs)));
  }

  #whyLost(maxMs: number): ModelRtcError {
    const cause = this.states().find(({ error }) => error !== undefined)?.error;
    const why = cause === undefined ? '' : ` The last failure: ${cause.message}`;
    const sentence = `No signaling server took this worker for ${Math.round(maxMs / 1000)} s, so it ends.${why}`;
    return new ModelRtcError('network', sentence, { cause });
  }

  #rejectWaiters(error: ModelRtcError): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }
}

function hasLeft(): ModelRtcError {
  return new ModelRtcError('cancelled', 'The worker left its signaling servers.');
}
