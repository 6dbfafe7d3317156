import { type Clock, type Log, ModelRtcError } from '@model-rtc/protocol';
import type { Peer } from '@model-rtc/transport';

export interface LinksOptions {
  /** Connects to a member's worker. */
  readonly connect: (key: string, signal: AbortSignal) => Promise<Peer>;
  /** @param isOwn whether this node opened it: then it is this node that begins to compare */
  readonly onLinked: (key: string, peer: Peer, isOwn: boolean) => void;
  /** The last connection with a member ended. */
  readonly onUnlinked: (key: string) => void;
  readonly onFailed: (key: string, error: ModelRtcError) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Waits before a member is tried again: doubled each time, up to the longest. A sign of life resets it. */
const RETRY_FIRST_MS = 2_000;
/** Whoever mends a network waits for so long at most. A member has a few others to try, and asks a server each time. */
const RETRY_LONGEST_MS = 20_000;

interface Attempt {
  /** Ends it; undefined while it waits. */
  running: AbortController | undefined;
  failures: number;
  stopTimer: () => void;
}

/** The connections with other members, those that they opened included. Wanted ones are opened again when they are lost. */
export class Links {
  readonly #options: LinksOptions;
  readonly #peers = new Map<string, Set<Peer>>();
  readonly #attempts = new Map<string, Attempt>();
  #wanted: ReadonlySet<string> = new Set();
  #isClosed = false;

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** An open connection with the member. */
  peerOf(key: string): Peer | undefined {
    return [...(this.#peers.get(key) ?? [])].at(-1);
  }

  linked(): string[] {
    return [...this.#peers.keys()];
  }

  /** From now on there should be a connection with each of these. Others stay until the other side or a limit ends them. */
  want(keys: Iterable<string>): void {
    this.#wanted = new Set(keys);
    for (const [key, attempt] of this.#attempts) if (!this.#wanted.has(key)) this.#stop(key, attempt);
    for (const key of this.#wanted) this.#begin(key);
  }

  /** There is a new sign of life, or a new address: it is tried at once. */
  retry(key: string): void {
    const attempt = this.#attempts.get(key);
    if (attempt?.running !== undefined) return;
    if (attempt !== undefined) this.#stop(key, attempt);
    this.#begin(key);
  }

  /** The network may be another one: all that wait are tried at once. */
  retryAll(): void {
    for (const key of [...this.#attempts.keys()]) this.retry(key);
  }

  /** Takes a connection that the member opened, unless it has it already. */
  adopt(key: string, peer: Peer, isOwn = false): void {
    if (this.#isClosed) return;
    const peers = this.#peers.get(key) ?? new Set();
    if (peers.has(peer)) return;
    this.#peers.set(key, peers.add(peer));
    void peer.closed.then(() => this.#ended(key, peer));
    this.#options.onLinked(key, peer, isOwn);
  }

  /** Ends all connections with a member. */
  async end(key: string, error?: ModelRtcError): Promise<void> {
    await Promise.all([...(this.#peers.get(key) ?? [])].map((peer) => peer.close(error)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const [key, attempt] of this.#attempts) this.#stop(key, attempt);
    await Promise.all([...this.#peers.keys()].map((key) => this.end(key)));
  }

  #begin(key: string): void {
    if (this.#isClosed || !this.#wanted.has(key) || this.#peers.has(key) || this.#attempts.has(key)) return;
    const attempt: Attempt = { running: undefined, failures: 0, stopTimer: () => {} };
    this.#attempts.set(key, attempt);
    void this.#try(key, attempt);
  }

  async #try(key: string, attempt: Attempt): Promise<void> {
    const running = new AbortController();
    attempt.running = running;
    try {
      const peer = await this.#options.connect(key, running.signal);
      if (running.signal.aborted) {
        void peer.close();
        return;
      }
      this.#attempts.delete(key);
      this.adopt(key, peer, true);
    } catch (thrown) {
      if (running.signal.aborted) return;
      attempt.running = undefined;
      const error = ModelRtcError.from(thrown);
      this.#options.onFailed(key, error);
      const waitMs = Math.min(RETRY_FIRST_MS * 2 ** attempt.failures, RETRY_LONGEST_MS);
      attempt.failures += 1;
      attempt.stopTimer = this.#options.clock.after(waitMs, () => {
        // It may have connected to us meanwhile.
        if (this.#peers.has(key)) this.#attempts.delete(key);
        else void this.#try(key, attempt);
      });
    }
  }

  #stop(key: string, { running, stopTimer }: Attempt): void {
    stopTimer();
    running?.abort(new ModelRtcError('cancelled', 'The connection is not needed any more.'));
    this.#attempts.delete(key);
  }

  #ended(key: string, peer: Peer): void {
    const peers = this.#peers.get(key);
    peers?.delete(peer);
    if (peers === undefined || peers.size > 0) return;
    this.#peers.delete(key);
    this.#options.onUnlinked(key);
    this.#begin(key);
  }
}
