import type { PeerLane } from '../peer/peer.ts';

/** Ethernet's. Most paths carry it, except tunnels. */
const ETHERNET_MTU = 1500;
/** For loopback, and for networks with jumbo frames: the native engine's maximum. */
const JUMBO_MTU = 4000;
/** A path that carries a size shows it within about ten round trips; one that does not shows it only by a timeout. */
const DECISION_MS = 1_500;

export interface PathMtuOptions {
  /** Brings up a lane with packets of this many bytes and gives it to the peer. @returns undefined when it does not open */
  readonly open: (mtu: number) => Promise<PeerLane | undefined>;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
}

/**
 * Finds how large the packets of a peer's webrtc lanes may be. A packet costs both processors the same whatever its size, and a path
 * that loses packets lets an association send only so many of them, so larger ones carry more. The engine's own 1280 bytes pass
 * everywhere; larger ones are tried by lanes that send them and open only if they arrive.
 * docs/decisions/packet-size.md has the measurements.
 */
export class PathMtu {
  readonly #options: PathMtuOptions;
  #current: number | undefined;
  #startedMs: number | undefined;
  #pending = 0;

  constructor(options: PathMtuOptions) {
    this.#options = options;
  }

  /** The packet size for further lanes, in bytes; undefined for the engine's own. */
  get current(): number | undefined {
    return this.#current;
  }

  /** Whether a trial may end any moment. */
  get isUndecided(): boolean {
    if (this.#startedMs === undefined || this.#pending === 0 || this.#current !== undefined) return false;
    return this.#options.nowMs() - this.#startedMs < DECISION_MS;
  }

  /**
   * Tries larger packets, once.
   *
   * @param lanesOnLongPath how many lanes are wanted on a path with long round trips, as over the Internet, which has no jumbo
   * frames: all are tried with larger packets, since another round of opening lanes would take about a second. Undefined elsewhere.
   */
  try(lanesOnLongPath: number | undefined): void {
    if (this.#startedMs !== undefined) return;
    this.#startedMs = this.#options.nowMs();
    const tried = lanesOnLongPath === undefined ? [JUMBO_MTU, ETHERNET_MTU] : Array(lanesOnLongPath).fill(ETHERNET_MTU);
    for (const mtu of tried) void this.#try(mtu);
  }

  async #try(mtu: number): Promise<void> {
    this.#pending += 1;
    const lane = await this.#options.open(mtu);
    this.#pending -= 1;
    if (lane === undefined) return;
    if (this.#current !== undefined && this.#current > mtu) return void lane.close();
    this.#current = mtu;
  }

  /** A lane with larger packets was lost: the route may have changed to one that does not carry them. */
  distrust(): void {
    this.#current = undefined;
  }
}
