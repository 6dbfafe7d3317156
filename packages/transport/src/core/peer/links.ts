import type { ModelRtcError } from '@model-rtc/protocol';
import type { LaneKind } from '../lane/lane.ts';
import type { LaneLink } from './lane-link.ts';
import type { PeerLane } from './peer.ts';

/** The kinds of lanes, the better first: those carry messages that may take any lane. */
const KINDS: readonly LaneKind[] = ['memory', 'direct', 'webrtc', 'relay'];

/** Ranks a kind of lane: the lower, the better. */
export function rankOf(kind: LaneKind): number {
  return KINDS.indexOf(kind);
}

/** The lanes that are open to the other side, the best first. */
export class Links {
  readonly #links: LaneLink[] = [];
  /** Weak, so that ended lanes can be collected. */
  readonly #handles = new WeakMap<LaneLink, PeerLane>();
  readonly #listeners = new Set<() => void>();

  get all(): readonly LaneLink[] {
    return this.#links;
  }

  get best(): LaneLink | undefined {
    return this.#links[0];
  }

  get handles(): readonly PeerLane[] {
    return this.#links.map((link) => this.handleOf(link));
  }

  add(link: LaneLink): PeerLane {
    this.#links.push(link);
    // Stable: among equals the oldest stays the first.
    this.#links.sort((a, b) => rankOf(a.info().kind) - rankOf(b.info().kind));
    this.#tell();
    return this.handleOf(link);
  }

  /** @returns false if it was not there. */
  remove(link: LaneLink): boolean {
    const at = this.#links.indexOf(link);
    if (at < 0) return false;
    this.#links.splice(at, 1);
    this.#tell();
    return true;
  }

  /** Gives the same object for the same lane, even after it has ended. */
  handleOf(link: LaneLink): PeerLane {
    const known = this.#handles.get(link);
    if (known !== undefined) return known;
    const { id, kind, engine } = link.info();
    const handle: PeerLane = {
      id,
      kind,
      engine,
      info: () => link.info(),
      closed: link.closed,
      close: () => this.#retire(link),
      abort: (reason: ModelRtcError) => link.fail(reason),
    };
    this.#handles.set(link, handle);
    return handle;
  }

  /** The open lane of this handle. */
  find(handle: PeerLane): LaneLink | undefined {
    return this.#links.find((link) => this.#handles.get(link) === handle);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #retire(link: LaneLink): Promise<void> {
    await link.retire();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
