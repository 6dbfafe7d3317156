import type { FragmentFrame } from './frame.ts';
import { FRAGMENT_HEADER_BYTES, isFrame, KIND_FRAGMENT, writeHead } from './frame-head.ts';
import { MAX_MESSAGE_BYTES, MAX_PARTIAL_MESSAGES } from './limits.ts';
import { malformed } from './msgpack-scan.ts';

/** The first memory of a message that is being joined; it grows with what has really come. */
const FIRST_BYTES = 64 * 1024;

/**
 * What to send for a message: itself when the lane takes it at once, else its fragments in order. Other messages and
 * frames may go in between.
 * @param messageId tells the messages apart whose fragments are in the air together; it may be used again afterwards.
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
  memory: Uint8Array;
  have: number;
}

/** Joins the fragments of a lane's messages. A lane is ordered, so the fragments of one message come in order. */
export class FragmentAssembler {
  readonly #partials = new Map<number, PartialMessage>();
  readonly #maxMessageBytes: number;
  readonly #maxPartialMessages: number;

  constructor(options: { readonly maxMessageBytes?: number; readonly maxPartialMessages?: number } = {}) {
    this.#maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.#maxPartialMessages = options.maxPartialMessages ?? MAX_PARTIAL_MESSAGES;
  }

  /**
   * Takes the next fragment. Copies its payload: the lane's memory may be used again.
   * @returns the whole message when this was its last fragment.
   * @throws ModelRtcError `malformed_message`, after which the lane cannot be used.
   */
  add(fragment: FragmentFrame): Uint8Array | undefined {
    const partial = this.#partials.get(fragment.message) ?? this.#start(fragment);
    if (fragment.total !== partial.total) throw malformed('the fragments of a message disagree about its length');
    if (fragment.offset !== partial.have) throw malformed('a fragment is out of order');
    const end = partial.have + fragment.payload.length;
    if (end > partial.total) throw malformed('a fragment reaches beyond its message');
    if (end > partial.memory.length) partial.memory = grown(partial, end);
    partial.memory.set(fragment.payload, partial.have);
    partial.have = end;
    if (end < partial.total) return undefined;
    this.#partials.delete(fragment.message);
    return partial.memory.subarray(0, partial.total);
  }

  #start(fragment: FragmentFrame): PartialMessage {
    if (fragment.total > this.#maxMessageBytes) {
      throw malformed(`a message has ${fragment.total} bytes; ${this.#maxMessageBytes} are allowed`);
    }
    if (this.#partials.size >= this.#maxPartialMessages) throw malformed('too many messages are in pieces at once');
    if (isFrame(fragment.payload)) throw malformed('a frame is inside of fragments');
    const partial = { total: fragment.total, memory: new Uint8Array(Math.min(fragment.total, FIRST_BYTES)), have: 0 };
    this.#partials.set(fragment.message, partial);
    return partial;
  }
}

/** Doubled, so that joining costs linear time, and never more than the message needs. */
function grown(partial: PartialMessage, end: number): Uint8Array {
  const memory = new Uint8Array(Math.min(partial.total, Math.max(end, partial.memory.length * 2)));
  memory.set(partial.memory.subarray(0, partial.have));
  return memory;
}
