/** What a message says of itself before anything else. */
export interface MessageHead {
  readonly type: string;
  readonly id: number | undefined;
  /** Of a request. */
  readonly method: string | undefined;
}

/** The first part of a long message holds its head: three short keys and values, and a method of 64 characters at most. */
export const MESSAGE_HEAD_BYTES = 128;

const ascii = new TextDecoder('latin1');

/**
 * The keys `type`, `id` and `method` at the start of a message's map, in any order, without decoding what follows.
 * @param bytes the message, or its first bytes.
 * @returns undefined when it does not start so.
 */
export function readMessageHead(bytes: Uint8Array): MessageHead | undefined {
  const reader = new HeadReader(bytes.subarray(0, MESSAGE_HEAD_BYTES));
  if (!reader.enterMap()) return undefined;
  let type: string | undefined;
  let id: number | undefined;
  let method: string | undefined;
  for (let key = reader.text(); key !== undefined; key = reader.text()) {
    if (key === 'type') type ??= reader.text();
    else if (key === 'id') id ??= reader.uint();
    else if (key === 'method') method ??= reader.text();
    else break;
  }
  return type === undefined ? undefined : { type, id, method };
}

/** Reads the few types of MessagePack that a head is made of; anything else is undefined, as what is cut off is. */
class HeadReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  enterMap(): boolean {
    const token = this.#bytes[this.#at++] ?? 0;
    if (token >= 0x80 && token < 0x90) return true;
    if (token !== 0xde && token !== 0xdf) return false;
    this.#at += token === 0xde ? 2 : 4;
    return true;
  }

  text(): string | undefined {
    const token = this.#bytes[this.#at++] ?? 0;
    const length = token >= 0xa0 && token < 0xc0 ? token - 0xa0 : token === 0xd9 ? this.#number(1) : undefined;
    if (length === undefined || this.#at + length > this.#bytes.length) return undefined;
    const start = this.#at;
    this.#at += length;
    return ascii.decode(this.#bytes.subarray(start, this.#at));
  }

  uint(): number | undefined {
    const token = this.#bytes[this.#at++] ?? 0xff;
    if (token < 0x80) return token;
    return token >= 0xcc && token <= 0xce ? this.#number(1 << (token - 0xcc)) : undefined;
  }

  #number(size: number): number | undefined {
    if (this.#at + size > this.#bytes.length) return undefined;
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (this.#bytes[this.#at++] as number);
    return value;
  }
}
