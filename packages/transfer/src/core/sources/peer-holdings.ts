import type { Digest, EventOf } from '@model-rtc/protocol';
import { FOLLOW_AGAIN_MS } from '../limits.ts';
import type { Holdings, HoldingsNews } from './source.ts';

/** The part of a `Peer` of @model-rtc/transport that this needs. */
export interface FollowedPeer {
  request(
    method: 'follow_chunks',
    params: { digest: Digest; list: Digest },
    options: { signal: AbortSignal; onEvent: (event: EventOf<'follow_chunks'>) => void },
  ): Promise<{ readonly whole: boolean }>;
}

/**
 * What a peer has of a model that it is still fetching, by its own word. All lanes of the peer share one such request, which
 * runs while anyone listens. A peer that does not know the request, or cuts the model in another way, says nothing.
 */
export class PeerHoldings implements Holdings {
  readonly #peer: FollowedPeer;
  readonly #digest: Digest;
  readonly #listeners = new Set<(news: HoldingsNews) => void>();
  #running: AbortController | undefined;
  #has: Uint8Array | undefined;

  constructor(peer: FollowedPeer, digest: Digest) {
    this.#peer = peer;
    this.#digest = digest;
  }

  follow(list: string, count: number, listener: (news: HoldingsNews) => void): () => void {
    this.#listeners.add(listener);
    if (this.#has !== undefined) listener({ type: 'partial', has: this.#has });
    if (this.#running === undefined) {
      this.#running = new AbortController();
      void this.#run({ list: list as Digest, count, signal: this.#running.signal });
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#running?.abort();
      this.#running = undefined;
      this.#has = undefined;
    };
  }

  async #run({ list, count, signal }: { list: Digest; count: number; signal: AbortSignal }): Promise<void> {
    while (!signal.aborted) {
      try {
        const onEvent = (event: EventOf<'follow_chunks'>): void => {
          if (!signal.aborted) this.#take(event, count);
        };
        const { whole } = await this.#peer.request(
          'follow_chunks',
          { digest: this.#digest, list },
          { signal, onEvent },
        );
        if (!signal.aborted && whole) this.#tell({ type: 'whole' });
        return;
      } catch (error) {
        // Only the lane that carried the events may be lost; a peer that is gone takes its sources with it, and the signal ends.
        if ((error as { code?: unknown }).code !== 'network') return;
        await new Promise((resolve) => setTimeout(resolve, FOLLOW_AGAIN_MS));
      }
    }
  }

  #take({ from = 0, bits, places = [] }: EventOf<'follow_chunks'>, count: number): void {
    const isFirst = this.#has === undefined;
    const has = this.#has ?? new Uint8Array(count);
    const fresh: number[] = [];
    const add = (place: number): void => {
      if (place >= count || has[place] === 1) return;
      has[place] = 1;
      fresh.push(place);
    };
    for (const [at, byte] of (bits ?? []).entries()) {
      for (let bit = 0; bit < 8; bit++) if (((byte >> bit) & 1) === 1) add(from + 8 * at + bit);
    }
    for (const place of places) add(place);
    this.#has = has;
    if (isFirst) this.#tell({ type: 'partial', has });
    else if (fresh.length > 0) this.#tell({ type: 'more', places: fresh });
  }

  #tell(news: HoldingsNews): void {
    if (news.type === 'whole') this.#has = undefined;
    for (const listener of [...this.#listeners]) listener(news);
  }
}
