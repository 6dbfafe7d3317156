import type { FragmentFrame } from './frame.ts';
import { FRAGMENT_HEADER_BYTES, isFrame, KIND_FRAGMENT, writeHead } from './frame-head.ts';
import { MAX_MESSAGE_BYTES, MAX_PARTIAL_MESSAGES } from './limits.ts';
import { malformed } from './msgpack-scan.ts';

/** The first memory of a message that is being joined; it grows with what has really come. */
const FIRST_BYTES = 4 * 1024;

/**
 * Yields what to send for a message: the message itself if the lane takes it at once, else its fragments in order. Other
 * messages and frames may be sent in between.
 * @param messageId identifies the message among those whose fragments are sent at the same time. It may be reused afterwards.
 * @param maxMessageSize what the lane takes at once, in bytes.
 */
export function* encodeFragments(bytes: Uint8Array, messageId: number, maxMessageSize: number): Iterable<Uint8Array> {
  if (bytes.length <= maxMessageSize) {
    yield bytes;
    return;
  }
  const step = maxMessageSize - FRAGMENT_HEADER_BYTES;
  if (step < 1) throw new RangeError(`a lane must take more than ${FRAGMENT_HEADER_BYTES} bytes at once`);
  for (let offset = 0; offset < bytes.length; offset += step) {
    const payload = bytes.subarray(offset, offset + step);
    const frame = new Uint8Array(FRAGMENT_HEADER_BYTES + payload.length);
    writeHead(frame, KIND_FRAGMENT, [messageId, bytes.length, offset, payload.length]);
    frame.set(payload, FRAGMENT_HEADER_BYTES);
    yield frame;
  }
}

/** A message whose first `have` bytes have arrived. */
interface PartialMessage {
  readonly total: number;
  /** undefined for one that was refused: what comes of it is passed over. */
  memory: Uint8Array | undefined;
  have: number;
}

/** Decides about messages before their memory is used up. */
export interface FragmentGate {
  /**
   * Asked once a message, when its first fragment comes.
   * @param first what that fragment holds, which is where the message says what it is.
   * @returns whether to join it; else it is passed over. What it throws makes the lane unusable.
   */
  admit(first: Uint8Array, totalBytes: number): boolean;
  /** An admitted message is whole, or never will be. */
  release(totalBytes: number): void;
}

const OPEN_GATE: FragmentGate = { admit: () => true, release: () => {} };

/** Joins the fragments of a lane's messages. A lane is ordered, so the fragments of one message come in order. */
export class FragmentAssembler {
  readonly #partials = new Map<number, PartialMessage>();
  readonly #gate: FragmentGate;

  constructor(gate: FragmentGate = OPEN_GATE) {
    this.#gate = gate;
  }

  /** Whether some message is not whole. */
  get isWaiting(): boolean {
    return this.#partials.size > 0;
  }

  /** Messages that are not whole never will be. */
  clear(): void {
    for (const [message, partial] of this.#partials) this.#drop(message, partial);
  }

  /**
   * Takes the next fragment. Copies its payload: the lane's memory may be used again.
   * @returns the whole message when this was its last fragment, unless it was passed over.
   * @throws ModelRtcError `malformed_message`, after which the lane cannot be used.
   */
  add(fragment: FragmentFrame): Uint8Array | undefined {
    const partial = this.#partials.get(fragment.message) ?? this.#start(fragment);
    if (fragment.total !== partial.total) throw malformed('the fragments of a message disagree about its length');
    if (fragment.offset !== partial.have) throw malformed('a fragment is out of order');
    const end = partial.have + fragment.payload.length;
    if (end > partial.total) throw malformed('a fragment reaches beyond its message');
    if (partial.memory !== undefined) {
      if (end > partial.memory.length) partial.memory = grown(partial.memory, partial, end);
      partial.memory.set(fragment.payload, partial.have);
    }
    partial.have = end;
    if (end < partial.total) return undefined;
    this.#drop(fragment.message, partial);
    return partial.memory?.subarray(0, partial.total);
  }

  #drop(message: number, { memory, total }: PartialMessage): void {
    this.#partials.delete(message);
    if (memory !== undefined) this.#gate.release(total);
  }

  #start(fragment: FragmentFrame): PartialMessage {
    const { total, payload } = fragment;
    if (total > MAX_MESSAGE_BYTES) throw malformed(`a message has ${total} bytes; ${MAX_MESSAGE_BYTES} are allowed`);
    if (this.#partials.size >= MAX_PARTIAL_MESSAGES) throw malformed('too many messages are in pieces at once');
    if (isFrame(payload)) throw malformed('a frame is inside of fragments');
    const memory = this.#gate.admit(payload, total) ? new Uint8Array(Math.min(total, FIRST_BYTES)) : undefined;
    const partial = { total, memory, have: 0 };
    this.#partials.set(fragment.message, partial);
    return partial;
  }
}

/** Doubled, so that joining costs linear time, and never more than the message needs. */
function grown(memory: Uint8Array, { total, have }: PartialMessage, end: number): Uint8Array {
  const larger = new Uint8Array(Math.min(total, Math.max(end, memory.length * 2)));
  larger.set(memory.subarray(0, have));
  return larger;
}
