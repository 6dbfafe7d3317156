import { deflateRawSync, gzipSync } from 'node:zlib';

/** Files that cost whoever looks into them far more than whoever sends them. Each is small, or stays within a push's usual size. */

interface Entry {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly headerStart: number;
}

/** A pickle of 30 MB that takes 30 kB when it is compressed: it holds only empty tuples. */
export function longPickle(opcodes = 30_000_000): Buffer {
  const bytes = Buffer.alloc(opcodes + 4, ')');
  bytes.set([0x80, 2, 0x28]);
  bytes[bytes.length - 1] = 0x2e;
  return bytes;
}

/** Pickles in a row, each of which is remembered whole by a reader that keeps what it finds. */
export function pickleRow(count: number, texts: number): Buffer {
  const text = Buffer.from(`X\x20\0\0\0${'a'.repeat(32)}\x94`, 'latin1');
  const one = Buffer.concat([Buffer.from('\x80\x04(', 'latin1'), ...Array.from({ length: texts }, () => text)]);
  const whole = Buffer.concat([one, Buffer.from('t.')]);
  return Buffer.concat(Array.from({ length: count }, () => whole));
}

/** Pickles within each other, each of which holds the next one twice. */
export function nestedPickles(levels: number, innermost: Buffer): Buffer {
  let inner = innermost;
  for (let level = 0; level < levels; level++) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(inner.length);
    const held = Buffer.concat([Buffer.from('B'), length, inner]);
    const imported = Buffer.from('ctorch.storage\n_load_from_bytes\n', 'latin1');
    inner = Buffer.concat([Buffer.from('\x80\x02(', 'latin1'), imported, held, held, Buffer.from('t.')]);
  }
  return inner;
}

/** A zip archive of compressed entries. */
export function deflatedZip(files: Readonly<Record<string, Buffer>>): Buffer {
  const parts: Buffer[] = [];
  const entries: Entry[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const bytes = deflateRawSync(content, { level: 9 });
    const entry = { name, bytes, size: content.length, headerStart: at };
    const part = Buffer.concat([localHeader(entry), bytes]);
    parts.push(part);
    entries.push(entry);
    at += part.length;
  }
  return Buffer.concat([...parts, directory(entries, at)]);
}

/** A zip archive in which so many names stand for one entry. */
export function overlappingZip(names: number, content: Buffer): Buffer {
  const entry: Entry = {
    name: 'a/0.pkl',
    bytes: deflateRawSync(content, { level: 9 }),
    size: content.length,
    headerStart: 0,
  };
  const only = Buffer.concat([localHeader(entry), entry.bytes]);
  const entries = Array.from({ length: names }, (_, i) => ({ ...entry, name: `a/${i}.pkl` }));
  return Buffer.concat([only, directory(entries, only.length)]);
}

function localHeader({ name, bytes, size }: Entry): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x0403_4b50, 0);
  header.writeUInt16LE(8, 8);
  header.writeUInt32LE(bytes.length, 18);
  header.writeUInt32LE(size, 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name)]);
}

function directory(entries: readonly Entry[], start: number): Buffer {
  const records = entries.map(({ name, bytes, size, headerStart }) => {
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x0201_4b50, 0);
    record.writeUInt16LE(8, 10);
    record.writeUInt32LE(bytes.length, 20);
    record.writeUInt32LE(size, 24);
    record.writeUInt16LE(name.length, 28);
    record.writeUInt32LE(headerStart, 42);
    return Buffer.concat([record, Buffer.from(name)]);
  });
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(
    records.reduce((sum, { length }) => sum + length, 0),
    12,
  );
  end.writeUInt32LE(start, 16);
  return Buffer.concat([...records, end]);
}

/** A safetensors file whose header is nothing but arrays: within each other, or millions side by side. */
export function headerOfArrays(shape: 'deep' | 'wide', bytes = 8 * 1024 * 1024 - 64): Buffer {
  const arrays = shape === 'deep' ? '['.repeat(bytes / 2) + ']'.repeat(bytes / 2) : `[${'[],'.repeat(bytes / 3)}[]]`;
  const json = Buffer.from(`{"a":${arrays}}`);
  const length = Buffer.alloc(8);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, Buffer.alloc(64)]);
}

/** A gzip file with a pickle in it, as gzip would refuse it: with other bytes behind it, or a wrong checksum. */
export function spoiltGzip(pickle: Buffer, spoil: 'trailing' | 'checksum' | 'damaged'): Buffer {
  const packed = gzipSync(pickle);
  if (spoil === 'trailing') return Buffer.concat([packed, Buffer.from('and more')]);
  if (spoil === 'checksum') packed[packed.length - 8] = (packed.at(-8) as number) ^ 0xff;
  // A block of a type that deflate does not have.
  else packed[10] = 0x07;
  return packed;
}

/** A pickle that is within every limit and does nothing, in so many steps. */
export function stepsPickle(steps: number): Buffer {
  return Buffer.concat([Buffer.from('\x80\x02', 'latin1'), Buffer.alloc(steps, '](e0'), Buffer.from('N.')]);
}
