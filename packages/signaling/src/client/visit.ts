import { type Clock, deferred, type Log, ModelRtcError, silentLog, systemClock } from '@model-rtc/protocol';
import { OFFLINE_GRACE_MS, VISIT_STAGGER_MS, VISIT_TIMEOUT_MS } from '../limits.ts';
import type { Link } from './link.ts';
import { parseServerUrls } from './server-url.ts';
import { VisitAttempt } from './visit-attempt.ts';
import { noLink } from './visit-verdict.ts';
import type { OpenWebSocket } from './web-socket.ts';

export interface VisitOptions {
  /** Where the worker may be waiting: the URLs of a session token. */
  readonly urls: readonly string[];
  /** protocol.roomOf(worker's public key). */
  readonly room: string;
  readonly signal?: AbortSignal | undefined;
  /** For all URLs together. */
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly clock?: Clock | undefined;
}

export async function visit(options: VisitOptions, openWebSocket: OpenWebSocket): Promise<Link> {
  const { signal } = options;
  if (signal?.aborted) throw cancelled(signal);
  const race = new VisitRace(options, openWebSocket);
  const onAbort = () => race.fail(cancelled(signal));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await race.run();
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * All servers are dialled at once, but asked one after another, the next as soon as one says no or is slow to say
 * anything: several URLs are often the same server, and a worker should not see one visitor come several times.
 */
class VisitRace {
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #attempts: VisitAttempt[];
  readonly #waiting: VisitAttempt[] = [];
  readonly #cancelTimers: (() => void)[] = [];
  #isDecided = false;
  readonly #link = deferred<Link>();

  constructor(options: VisitOptions, openWebSocket: OpenWebSocket) {
    const { urls, room, timeoutMs = VISIT_TIMEOUT_MS, log = silentLog, clock = systemClock } = options;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#log = log;
    const servers = parseServerUrls(urls);
    const shared = { room, clock, openWebSocket, onChange: (it: VisitAttempt) => this.#changed(it) };
    this.#attempts = servers.map((url) => new VisitAttempt({ ...shared, url }));
  }

  run(): Promise<Link> {
    this.#after(this.#timeoutMs, () => this.#giveUp());
    for (const attempt of this.#attempts) attempt.start();
    return this.#link.promise;
  }

  fail(error: ModelRtcError): void {
    if (this.#decide()) this.#link.reject(error);
  }

  #changed(attempt: VisitAttempt): void {
    if (this.#isDecided) return;
    const { url, state } = attempt;
    this.#log.debug({ url: url.given, state: state.kind }, 'visiting a signaling server');
    if (state.kind === 'open') this.#waiting.push(attempt);
    else if (state.kind === 'visiting') this.#win(attempt, state.link);
    else if (state.kind === 'offline') this.#after(OFFLINE_GRACE_MS, () => this.#giveUp());
    if (this.#attempts.every(({ isOver }) => isOver)) this.#giveUp();
    else if (!this.#attempts.some(({ state: { kind } }) => kind === 'asked')) this.#askNext();
  }

  #askNext(): void {
    if (this.#isDecided) return;
    let next = this.#waiting.shift();
    while (next?.isOver) next = this.#waiting.shift();
    if (next === undefined) return;
    this.#after(VISIT_STAGGER_MS, () => this.#askNext());
    next.ask();
  }

  #win(winner: VisitAttempt, link: Link): void {
    if (this.#decide(winner)) this.#link.resolve(link);
  }

  #giveUp(): void {
    this.fail(noLink(this.#attempts.map(({ url, state }) => ({ url: url.given, state }))));
  }

  /** @returns false when it was decided before. */
  #decide(winner?: VisitAttempt): boolean {
    if (this.#isDecided) return false;
    this.#isDecided = true;
    for (const cancel of this.#cancelTimers) cancel();
    for (const attempt of this.#attempts) if (attempt !== winner) attempt.cancel();
    return true;
  }

  #after(delayMs: number, callback: () => void): void {
    const cancel = this.#clock.after(delayMs, () => {
      if (!this.#isDecided) callback();
    });
    this.#cancelTimers.push(cancel);
  }
}

function cancelled(signal: AbortSignal | undefined): ModelRtcError {
  return new ModelRtcError('cancelled', 'Cancelled.', { cause: signal?.reason });
}
