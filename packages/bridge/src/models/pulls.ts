import { type Digest, type Log, ModelRtcError } from '@model-rtc/protocol';
import { MAX_PULLS, MAX_PULLS_A_MINUTE } from '../limits.ts';
import type { RemoteModels } from '../types.ts';
import type { RateLimit } from './rate-limit.ts';

/** The models that are fetched because someone asked the bridge for them. */
export interface Pulls {
  /**
   * Starts to fetch a model, or finds that it is being fetched. It goes on when whoever asked is gone: the next one finds more.
   * @throws ModelRtcError `busy` when too many were started
   */
  start(digest: Digest): Pull;
  /** Those that run now. */
  readonly running: number;
  /** Ends all of them, and keeps what they have. */
  close(): Promise<void>;
}

export interface Pull {
  /** Why it ended without the model; undefined while it runs and after it succeeded. */
  readonly failure: ModelRtcError | undefined;
  readonly hasEnded: boolean;
}

export interface PullsOptions {
  readonly remote: RemoteModels;
  readonly rate: RateLimit;
  readonly log: Log;
  readonly onEnd: (outcome: 'completed' | 'failed') => void;
}

export function createPulls({ remote, rate, log, onEnd }: PullsOptions): Pulls {
  const running = new Map<Digest, { readonly pull: Pull; readonly done: Promise<void> }>();
  const ending = new AbortController();

  function begin(digest: Digest): Pull {
    const throttled = throttle();
    if (throttled !== undefined) {
      remote.onThrottled?.(digest, throttled);
      throw throttled;
    }
    const pull = { failure: undefined as ModelRtcError | undefined, hasEnded: false };
    const done = remote
      .pull(digest, { signal: ending.signal })
      .catch((error: unknown) => {
        pull.failure = ModelRtcError.from(error);
        const { message } = pull.failure;
        log.warn(
          { digest },
          `The model ${digest.slice(0, 12)}, which was asked for over HTTP, was not fetched: ${message}`,
        );
      })
      .finally(() => {
        pull.hasEnded = true;
        running.delete(digest);
        onEnd(pull.failure === undefined ? 'completed' : 'failed');
      });
    running.set(digest, { pull, done });
    return pull;
  }

  function throttle(): ModelRtcError | undefined {
    if (running.size >= MAX_PULLS) return busy(`${MAX_PULLS} models are being fetched`, 10);
    const waitMs = rate.take();
    if (waitMs === 0) return undefined;
    return busy(`${MAX_PULLS_A_MINUTE} models were asked for in a minute`, Math.ceil(waitMs / 1000));
  }

  return {
    start: (digest) => running.get(digest)?.pull ?? begin(digest),
    get running() {
      return running.size;
    },
    async close() {
      ending.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

function busy(what: string, retryAfterS: number): ModelRtcError {
  return new ModelRtcError('busy', `${what}. Ask again in a moment.`, {
    details: { retryAfterMs: retryAfterS * 1000 },
  });
}
