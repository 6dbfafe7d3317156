import { CHUNK_BYTES } from '@model-rtc/protocol';
import { BUFFERS_PER_LANE, MANY_SERVE_BUFFERS, MAX_IDLE_SERVE_BUFFERS } from '../limits.ts';
import { Slots } from './slots.ts';

/** Memory for one chunk until it is sent. */
export interface Loan {
  /** Its headroom lies before it in the same memory. */
  readonly buffer: Uint8Array;
  /** @param isUnused - whether nothing reads or writes the memory any more */
  giveBack(isUnused: boolean): void;
}

/**
 * The requests of one lane: their chunks are read and sent in the order they were asked for. One chunk is read while another
 * is sent, and the first one of a request is read while the last one of the previous request is sent.
 */
export interface LaneTurns {
  /** Held until the read of a request's last chunk has begun. */
  readonly read: Slots;
  readonly send: Slots;
  /** Bytes before each buffer that the lane may overwrite. */
  readonly headroomBytes: number;
  borrow(signal: AbortSignal): Promise<Loan>;
}

/** Gives each lane its turns. Idle lanes hold no memory. */
export class LaneBook {
  readonly #known = new WeakMap<object, LaneTurns>();
  readonly #idle: Uint8Array[] = [];
  readonly #headroomBytes: number;
  /** How many buffers are lent. */
  #lent = 0;

  constructor(headroomBytes: number) {
    this.#headroomBytes = headroomBytes;
  }

  turnsOf(lane: object): LaneTurns {
    const turns = this.#known.get(lane) ?? this.#newTurns();
    this.#known.set(lane, turns);
    return turns;
  }

  #newTurns(): LaneTurns {
    const places = new Slots(BUFFERS_PER_LANE);
    const alone = new Slots(1);
    return {
      read: new Slots(1),
      send: new Slots(1),
      headroomBytes: this.#headroomBytes,
      borrow: async (signal) => {
        const leave = await places.enter(signal);
        try {
          // When there are many lanes each one is slow, and needs no chunk at hand while another is sent.
          const leaveAlone = this.#lent >= MANY_SERVE_BUFFERS ? await alone.enter(signal) : undefined;
          return this.#lend(() => {
            leaveAlone?.();
            leave();
          });
        } catch (error) {
          leave();
          throw error;
        }
      },
    };
  }

  #lend(leave: () => void): Loan {
    const headroom = this.#headroomBytes;
    const buffer = this.#idle.pop() ?? new Uint8Array(headroom + CHUNK_BYTES).subarray(headroom);
    this.#lent += 1;
    return {
      buffer,
      giveBack: (isUnused) => {
        if (isUnused && this.#idle.length < MAX_IDLE_SERVE_BUFFERS) this.#idle.push(buffer);
        this.#lent -= 1;
        leave();
      },
    };
  }
}
