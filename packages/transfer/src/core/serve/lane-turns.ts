import { CHUNK_BYTES } from '@model-rtc/protocol';
import { BUFFERS_PER_LANE, MANY_SERVE_BUFFERS, MAX_IDLE_SERVE_BUFFERS } from '../limits.ts';
import { Slots } from './slots.ts';

/** Memory for one chunk, until it is sent. */
export interface Loan {
  /** Before it in the same memory is the headroom that belongs to it. */
  readonly buffer: Uint8Array;
  /** @param isUnused whether nothing reads or writes the memory any more. */
  giveBack(isUnused: boolean): void;
}

/**
 * The requests of one lane: their chunks are read and sent in the order in which they were asked for. One chunk is read while
 * another is sent, also the first of one request during the last of the one before.
 */
export interface LaneTurns {
  /** Held until the last chunk of a request is being read. */
  readonly read: Slots;
  readonly send: Slots;
  /** Bytes before each buffer that are the lane's to overwrite. */
  readonly headroomBytes: number;
  borrow(signal: AbortSignal): Promise<Loan>;
}

/** Gives each lane its turns. Lanes that rest hold no memory. */
export class LaneBook {
  readonly #known = new WeakMap<object, LaneTurns>();
  readonly #idle: Uint8Array[] = [];
  readonly #headroomBytes: number;
  /** Buffers that are lent. */
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
          // Of many lanes each is slow: none needs a chunk at hand while another is sent.
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
