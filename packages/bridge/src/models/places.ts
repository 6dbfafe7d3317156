import { ModelRtcError } from '@model-rtc/protocol';
import { MAX_DOWNLOADS, SLOW_CLIENT_MS } from '../limits.ts';

/** The places of those that files are sent to at once. */
export interface Places {
  /** @throws ModelRtcError `busy` when all are taken, and nobody is so slow that another one comes first */
  take(): Place;
  readonly taken: number;
}

export interface Place {
  /** Aborts when the place goes to another client. */
  readonly signal: AbortSignal;
  onWriting(isWriting: boolean): void;
  leave(): void;
}

export interface PlacesOptions {
  /** Milliseconds that only grow. */
  readonly nowMs: () => number;
  readonly most?: number | undefined;
}

interface Taken {
  readonly cut: AbortController;
  /** Since when the client takes its piece; undefined while the bytes are what is waited for. */
  sinceMs: number | undefined;
}

export function createPlaces({ nowMs, most = MAX_DOWNLOADS }: PlacesOptions): Places {
  const all = new Set<Taken>();

  /** Clients that take bytes one by one cannot keep all others away. */
  function cutSlowest(): boolean {
    const slow = [...all].filter(({ sinceMs }) => sinceMs !== undefined && nowMs() - sinceMs >= SLOW_CLIENT_MS);
    const [slowest] = slow.sort((a, b) => (a.sinceMs ?? 0) - (b.sinceMs ?? 0));
    if (slowest === undefined) return false;
    all.delete(slowest);
    slowest.cut.abort(new ModelRtcError('busy', 'The place of a slow client went to another one.'));
    return true;
  }

  return {
    take() {
      if (all.size >= most && !cutSlowest()) {
        throw new ModelRtcError('busy', `${most} files are being sent. Ask again in a moment.`);
      }
      const taken: Taken = { cut: new AbortController(), sinceMs: undefined };
      all.add(taken);
      return {
        signal: taken.cut.signal,
        onWriting(isWriting) {
          taken.sinceMs = isWriting ? nowMs() : undefined;
        },
        leave: () => void all.delete(taken),
      };
    },
    get taken() {
      return all.size;
    },
  };
}
