import { ModelRtcError } from './errors.ts';
import { MAX_ITEMS, MAX_MAP_ENTRIES, MAX_MESSAGE_BYTES, MAX_NESTING, MAX_STRING_BYTES, MAX_VALUES } from './limits.ts';
import { runAtOnce, type Steps } from './steps.ts';
import { isUtf8 } from './utf8.ts';

/** Limits on a MessagePack value. */
export interface PackLimits {
  readonly maxBytes: number;
  /** Maps and arrays within each other. */
  readonly maxNesting: number;
  /** Items of one array. */
  readonly maxItems: number;
  readonly maxMapEntries: number;
  /** All values together, map keys counted. */
  readonly maxValues: number;
  /** One string or binary. */
  readonly maxStringBytes: number;
}

export const MESSAGE_LIMITS: PackLimits = {
  maxBytes: MAX_MESSAGE_BYTES,
  maxNesting: MAX_NESTING,
  maxItems: MAX_ITEMS,
  maxMapEntries: MAX_MAP_ENTRIES,
  maxValues: MAX_VALUES,
  maxStringBytes: MAX_STRING_BYTES,
};

/** Up to this many keys of a map are compared pair by pair: nearly every map, without an allocation for each. */
const KEYS_COMPARED_IN_PLACE = 24;
/** How many bytes are scanned between two yields. */
const BYTES_A_STEP = 64 * 1024;
const PROTO = new TextEncoder().encode('__proto__');

/**
 * Walks a MessagePack value (https://github.com/msgpack/msgpack/blob/master/spec.md) without building it, so that no
 * hostile bytes reach the decoder that allocates. It takes one whole value of nil, booleans, numbers, UTF-8 strings,
 * binaries, arrays, and maps with distinct string keys; no extension types, no 64-bit integers that a double cannot hold.
 * @throws ModelRtcError `malformed_message` that says which rule is broken and where.
 */
export function scanMsgpack(bytes: Uint8Array, limits: PackLimits = MESSAGE_LIMITS): void {
  runAtOnce(scanInSteps(bytes, limits));
}

/** The same in steps. */
function* scanInSteps(bytes: Uint8Array, limits: PackLimits = MESSAGE_LIMITS): Steps<void> {
  if (bytes.length > limits.maxBytes) {
    throw malformed(`it has ${bytes.length} bytes; ${limits.maxBytes} are allowed`);
  }
  yield* new Scanner(bytes, limits).run();
}

export function malformed(problem: string, cause?: unknown): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The other side sent a message that is not valid (${problem}); try again. If it keeps happening, upgrade model-rtc on both machines.`,
    { details: { problem }, ...(cause === undefined ? {} : { cause }) },
  );
}

/** A map or array that is being walked. */
interface Open {
  left: number;
  readonly keys: MapKeys | undefined;
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #limits: PackLimits;
  readonly #open: Open[] = [];
  readonly #keys: MapKeys[] = [];
  #at = 0;
  #values = 0;
  /** Where the last string starts. */
  #stringStart = 0;

  constructor(bytes: Uint8Array, limits: PackLimits) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = limits;
  }

  /** Iterative: the depth of the input never becomes depth of the call stack. */
  *run(): Steps<void> {
    this.#value();
    let yieldAt = BYTES_A_STEP;
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) {
      if (open.left === 0) {
        this.#open.pop();
        continue;
      }
      open.left--;
      if (open.keys !== undefined) this.#key(open.keys);
      this.#value();
      if (this.#at < yieldAt) continue;
      yieldAt = this.#at + BYTES_A_STEP;
      yield;
    }
    if (this.#at !== this.#bytes.length) throw this.#fail('bytes follow its end');
  }

  #value(): void {
    this.#count();
    const token = this.#uint(1);
    if (token < 0x80 || token >= 0xe0) return;
    if (token < 0x90) this.#enter(token - 0x80, true);
    else if (token < 0xa0) this.#enter(token - 0x90, false);
    else if (token < 0xc0) this.#string(token - 0xa0);
    else this.#longValue(token);
  }

  #longValue(token: number): void {
    if (token === 0xc0 || token === 0xc2 || token === 0xc3) return; // nil, false, true
    if (token >= 0xc4 && token <= 0xc6)
      this.#run(this.#uint(1 << (token - 0xc4))); // bin 8, 16, 32
    else if (token === 0xca)
      this.#skip(4); // float 32
    else if (token === 0xcb)
      this.#skip(8); // float 64
    else if (token >= 0xcc && token <= 0xce)
      this.#skip(1 << (token - 0xcc)); // uint 8, 16, 32
    else if (token >= 0xd0 && token <= 0xd2)
      this.#skip(1 << (token - 0xd0)); // int 8, 16, 32
    else if (token === 0xcf || token === 0xd3)
      this.#wideInteger(token === 0xd3); // uint 64, int 64
    else if (token >= 0xd9 && token <= 0xdb)
      this.#string(this.#uint(1 << (token - 0xd9))); // str 8, 16, 32
    else if (token === 0xdc || token === 0xdd)
      this.#enter(this.#uint(token === 0xdc ? 2 : 4), false); // array 16, 32
    else if (token === 0xde || token === 0xdf)
      this.#enter(this.#uint(token === 0xde ? 2 : 4), true); // map 16, 32
    else throw this.#fail(`it has the type 0x${token.toString(16)}`);
  }

  #key(keys: MapKeys): void {
    this.#count();
    const token = this.#uint(1);
    if (token >= 0xa0 && token < 0xc0) this.#string(token - 0xa0);
    else if (token >= 0xd9 && token <= 0xdb) this.#string(this.#uint(1 << (token - 0xd9)));
    else throw this.#fail('a key of a map is not a string');
    const problem = keys.add(this.#stringStart, this.#at);
    if (problem !== undefined) throw this.#fail(problem);
  }

  #string(length: number): void {
    this.#run(length);
    this.#stringStart = this.#at - length;
    if (!isUtf8(this.#bytes, this.#stringStart, this.#at)) throw this.#fail('a string is not UTF-8');
  }

  #run(length: number): void {
    if (length > this.#limits.maxStringBytes) throw this.#fail(`a string has ${length} bytes`);
    this.#skip(length);
  }

  #enter(items: number, isMap: boolean): void {
    const { maxItems, maxMapEntries, maxNesting } = this.#limits;
    if (items > (isMap ? maxMapEntries : maxItems)) throw this.#fail(`a list has ${items} items`);
    if (this.#open.length >= maxNesting) throw this.#fail('it is nested too deeply');
    this.#open.push({ left: items, keys: isMap ? this.#keysHere() : undefined });
  }

  /** One set of keys for each level, used again by the next map there: a message may hold a million maps. */
  #keysHere(): MapKeys {
    const level = this.#open.length;
    this.#keys[level] ??= new MapKeys(this.#bytes);
    this.#keys[level].clear();
    return this.#keys[level];
  }

  #wideInteger(signed: boolean): void {
    const at = this.#at;
    this.#skip(8);
    const value = signed ? this.#view.getBigInt64(at) : this.#view.getBigUint64(at);
    if (!Number.isSafeInteger(Number(value))) throw this.#fail('an integer is outside ±(2^53 - 1)');
  }

  #uint(size: number): number {
    const at = this.#at;
    this.#skip(size);
    if (size === 1) return this.#bytes[at] as number;
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #skip(length: number): void {
    if (length > this.#bytes.length - this.#at) throw this.#fail('it is cut off');
    this.#at += length;
  }

  #count(): void {
    this.#values++;
    if (this.#values > this.#limits.maxValues) throw this.#fail(`it has more than ${this.#limits.maxValues} values`);
  }

  #fail(problem: string): ModelRtcError {
    return malformed(`${problem}, at byte ${this.#at}`);
  }
}

/** The keys of one map: two of one name would let two readers see two different messages. */
class MapKeys {
  readonly #bytes: Uint8Array;
  readonly #ends: number[] = [];
  #names: Set<string> | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  clear(): void {
    this.#ends.length = 0;
    this.#names = undefined;
  }

  /** The rule that the key `bytes[start..end)` breaks, or undefined. */
  add(start: number, end: number): string | undefined {
    if (equalRuns(this.#bytes, start, end, PROTO, 0, PROTO.length)) return 'a key of a map is "__proto__"';
    return this.#isThere(start, end) ? 'a map has one key twice' : undefined;
  }

  #isThere(start: number, end: number): boolean {
    if (this.#names !== undefined) {
      const name = this.#text(start, end);
      if (this.#names.has(name)) return true;
      this.#names.add(name);
      return false;
    }
    for (let i = 0; i < this.#ends.length; i += 2) {
      if (equalRuns(this.#bytes, start, end, this.#bytes, this.#ends[i] as number, this.#ends[i + 1] as number))
        return true;
    }
    this.#ends.push(start, end);
    if (this.#ends.length > 2 * KEYS_COMPARED_IN_PLACE) this.#names = this.#allNames();
    return false;
  }

  #allNames(): Set<string> {
    const names = new Set<string>();
    for (let i = 0; i < this.#ends.length; i += 2)
      names.add(this.#text(this.#ends[i] as number, this.#ends[i + 1] as number));
    return names;
  }

  #text(start: number, end: number): string {
    return keyDecoder.decode(this.#bytes.subarray(start, end));
  }
}

/** Keeps a byte order mark: "\uFEFFa" and "a" are two keys. */
const keyDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

function equalRuns(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): boolean {
  const length = aEnd - aStart;
  if (length !== bEnd - bStart) return false;
  for (let i = 0; i < length; i++) {
    if (a[aStart + i] !== b[bStart + i]) return false;
  }
  return true;
}
