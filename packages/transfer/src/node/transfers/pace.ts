import type { Clock } from '@model-rtc/protocol';
import type { Priority } from '../../core/rate/priority.ts';
import type { RateLimiter } from '../../core/rate/rate-limiter.ts';
import { type AdjustableLimiter, createRateLimiter } from '../../core/rate/token-bucket.ts';
import { type Rival, YieldingRate } from '../../core/rate/yielding-rate.ts';
import { readRunning, type StoredTransfer } from './record-file.ts';
import { type TransferKind, wayOf } from './types.ts';

/** How often a transfer looks what else runs. */
const LOOK_MS = 1_000;
/** Living processes write their records more often than this. One that was stopped moves nothing, whatever its record says. */
const SILENT_MS = 15_000;

/** Lets more urgent transfers of this machine go first, whichever process runs them: their records say how fast they are. */
export class TransferPace {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #limiter: AdjustableLimiter;
  readonly #rate = new YieldingRate();
  /** The ended transfers, which are not read again. */
  readonly #over = new Set<string>();
  readonly #listeners: ((priority: Priority) => void)[] = [];
  #lookedMs: number;
  #isLooking = false;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
    this.#limiter = createRateLimiter({ bytesPerSecond: Number.POSITIVE_INFINITY, clock });
    this.#lookedMs = clock.nowMs();
  }

  get limiter(): RateLimiter {
    return this.#limiter;
  }

  onPriority(listener: (priority: Priority) => void, now: Priority): void {
    this.#listeners.push(listener);
    listener(now);
  }

  changed(priority: Priority): void {
    for (const listener of this.#listeners) listener(priority);
  }

  /** Looks what else runs, if it is time to. A folder that cannot be read holds up nobody. */
  async look(own: () => StoredTransfer): Promise<void> {
    if (this.#isLooking || this.#clock.nowMs() - this.#lookedMs < LOOK_MS) return;
    this.#isLooking = true;
    this.#lookedMs = this.#clock.nowMs();
    try {
      const running = await readRunning(this.#folder, this.#over).catch(() => []);
      const self = own();
      const rivals = running.filter((one) => one.id !== self.id && isRival(one, self.kind)).map(rivalOf);
      this.#limiter.rate = this.#rate.update(self, rivals, this.#clock.nowMs());
    } finally {
      this.#isLooking = false;
    }
  }
}

function isRival({ state, kind, updatedAt }: StoredTransfer, ownKind: TransferKind): boolean {
  // Networks carry both directions at once.
  const isSameWay = wayOf(kind) === wayOf(ownKind);
  return isSameWay && state === 'transferring' && Date.now() - Date.parse(updatedAt) < SILENT_MS;
}

function rivalOf({ id, priority, bytesPerSecond }: StoredTransfer): Rival {
  return { id, priority, bytesPerSecond };
}
