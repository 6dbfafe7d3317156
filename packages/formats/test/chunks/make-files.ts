import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** Small model files as their formats' specifications lay them out. */

export interface MadeTensor {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Bytes that differ from tensor to tensor. */
export function filled(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = seed * 2_654_435_761 + 1;
  for (let i = 0; i < size; i += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
  return bytes;
}

export function u64(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

export function makeSafetensors(tensors: readonly MadeTensor[], metadata?: Record<string, unknown>): Uint8Array {
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  let at = 0;
  for (const { name, bytes } of tensors) {
    header[name] = { dtype: 'U8', shape: [bytes.length], data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  return safetensorsOf(JSON.stringify(header), ...tensors.map(({ bytes }) => bytes));
}

/** A safetensors file with any text as its header. */
export function safetensorsOf(header: string, ...data: readonly Uint8Array[]): Uint8Array {
  const text = utf8ToBytes(header);
  return concatBytes(u64(text.length), text, ...data);
}

/** A metadata value: its type's number and its bytes. */
export type GgufValue = readonly [type: number, bytes: Uint8Array];

export function ggufText(text: string): Uint8Array {
  return concatBytes(u64(utf8ToBytes(text).length), utf8ToBytes(text));
}

export function makeGguf(
  tensors: readonly MadeTensor[],
  values: Readonly<Record<string, GgufValue>> = {},
  { version = 3, alignment = 32 } = {},
): Uint8Array {
  const head = [utf8ToBytes('GGUF'), u32(version), u64(tensors.length), u64(Object.keys(values).length)];
  for (const [key, [type, bytes]] of Object.entries(values)) head.push(ggufText(key), u32(type), bytes);
  const data: Uint8Array[] = [];
  let at = 0;
  for (const { name, bytes } of tensors) {
    head.push(ggufText(name), u32(1), u64(bytes.length), u32(24), u64(at));
    const padding = new Uint8Array((alignment - (bytes.length % alignment)) % alignment);
    data.push(bytes, padding);
    at += bytes.length + padding.length;
  }
  const header = concatBytes(...head);
  return concatBytes(header, new Uint8Array((alignment - (header.length % alignment)) % alignment), ...data);
}

export interface MadeEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** 0 is stored, 8 deflated; the bytes are taken as they are. */
  readonly method?: number;
}

/** A zip archive with each entry's bytes on a multiple of 64, as torch.save writes it. */
export function makeZip(entries: readonly MadeEntry[], comment = ''): Uint8Array {
  const local: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, bytes, method = 0 } of entries) {
    const padding = (64 - ((at + 30 + name.length + 4) % 64)) % 64;
    const extra = concatBytes(u16(0x4246), u16(padding), new Uint8Array(padding));
    const header = concatBytes(u32(0x04034b50), localFields(method, bytes.length, name, extra), bytes);
    directory.push(directoryEntry(name, method, bytes.length, at));
    local.push(header);
    at += header.length;
  }
  return concatBytes(
    ...local,
    ...directory,
    directoryEnd(entries.length, concatBytes(...directory).length, at, comment),
  );
}

function localFields(method: number, size: number, name: string, extra: Uint8Array): Uint8Array {
  const sizes = [u32(0), u32(size), u32(size), u16(name.length), u16(extra.length)];
  return concatBytes(u16(20), u16(0), u16(method), u32(0), ...sizes, utf8ToBytes(name), extra);
}

/** An entry of a directory, with 64-bit fields where they are needed. */
export function directoryEntry(name: string, method: number, size: number, headerStart: number): Uint8Array {
  const wide = [size, size, headerStart].map((value) => value >= 0xffff_ffff);
  const values = [size, size, headerStart].filter((_, i) => wide[i]).map(u64);
  const extra = values.length === 0 ? [] : [u16(1), u16(values.length * 8), ...values];
  const narrow = [size, size, headerStart].map((value, i) => u32(wide[i] ? 0xffff_ffff : value));
  const extraBytes = concatBytes(...extra);
  const lengths = [u16(name.length), u16(extraBytes.length), u16(0), u16(0), u16(0), u32(0)];
  const head = [u32(0x02014b50), u16(20), u16(20), u16(0), u16(method), u32(0), u32(0)];
  return concatBytes(
    ...head,
    ...narrow.slice(0, 2),
    ...lengths,
    narrow[2] as Uint8Array,
    utf8ToBytes(name),
    extraBytes,
  );
}

export function directoryEnd(count: number, size: number, start: number, comment = ''): Uint8Array {
  const fields = [u16(0), u16(0), u16(count), u16(count), u32(size), u32(start), u16(comment.length)];
  return concatBytes(u32(0x06054b50), ...fields, utf8ToBytes(comment));
}

/** The three records that end a zip64 archive. `at` is where they start. */
export function directoryEnd64(count: number, size: number, start: number, at: number): Uint8Array {
  const record = [u16(45), u16(45), u32(0), u32(0), u64(count), u64(count), u64(size), u64(start)];
  const end64 = concatBytes(u32(0x06064b50), u64(44), ...record);
  const locator = concatBytes(u32(0x07064b50), u32(0), u64(at), u32(1));
  return concatBytes(end64, locator, directoryEnd(0xffff, 0xffff_ffff, 0xffff_ffff));
}
