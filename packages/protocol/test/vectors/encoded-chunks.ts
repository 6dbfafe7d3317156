import { concatBytes } from '@noble/hashes/utils.js';
import { counting, fromHex, toHex } from './bytes.ts';

// Made by hand, of raw and repeated blocks of zstd alone, so that anyone can follow them.

type Block = { readonly raw: Uint8Array } | { readonly byte: number; readonly times: number };

const MAGIC = fromHex('28b52ffd');

/** A frame of zstd (RFC 8878) that says how long its content is. */
function zstd(blocks: readonly Block[], contentBytes = lengthOf(blocks)): Uint8Array {
  return concatBytes(
    MAGIC,
    sizeField(contentBytes),
    ...blocks.map((block, i) => blockBytes(block, i + 1 === blocks.length)),
  );
}

function sizeField(contentBytes: number): Uint8Array {
  if (contentBytes < 256) return Uint8Array.of(0x20, contentBytes);
  const value = contentBytes - 256;
  return Uint8Array.of(0x60, value & 0xff, value >> 8);
}

function blockBytes(block: Block, isLast: boolean): Uint8Array {
  const [type, size, content] =
    'raw' in block ? [0, block.raw.length, block.raw] : [1, block.times, Uint8Array.of(block.byte)];
  const head = Number(isLast) | (type << 1) | (size << 3);
  return concatBytes(Uint8Array.of(head & 0xff, (head >> 8) & 0xff, head >> 16), content);
}

function lengthOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + ('raw' in block ? block.raw.length : block.times), 0);
}

interface Form {
  readonly transform: number;
  readonly chunkBytes: number;
  readonly content: Uint8Array;
  /** What the head says instead of the length of the form. */
  readonly encodedBytes?: number;
}

function form({ transform, chunkBytes, content, encodedBytes = 9 + content.length }: Form): Uint8Array {
  const head = new Uint8Array(9);
  const view = new DataView(head.buffer);
  view.setUint8(0, transform);
  view.setUint32(1, chunkBytes);
  view.setUint32(5, encodedBytes);
  return concatBytes(head, content);
}

/** Elements whose bytes at each place are given as planes, and what follows the last whole element. */
function interleaved(planes: readonly Uint8Array[], rest: Uint8Array): Uint8Array {
  const [first = new Uint8Array()] = planes;
  const elements = [...first.keys()].map((i) => Uint8Array.from(planes, (plane) => plane[i] ?? 0));
  return concatBytes(...elements, rest);
}

function planar(name: string, width: 2 | 4, rest: Uint8Array) {
  const planes = Array.from({ length: width }, (_, i) =>
    i === 0 ? counting(64, 9) : new Uint8Array(64).fill(0x30 + i),
  );
  const chunk = interleaved(planes, rest);
  const repeated = planes.slice(1).map(([byte = 0, ...more]): Block => ({ byte, times: more.length + 1 }));
  const blocks: Block[] = [
    { raw: planes[0] ?? new Uint8Array() },
    ...repeated,
    ...(rest.length > 0 ? [{ raw: rest }] : []),
  ];
  const encoded = form({ transform: width, chunkBytes: chunk.length, content: zstd(blocks) });
  return { name, chunk: toHex(chunk), encoded: toHex(encoded) };
}

const SEVENS: readonly Block[] = [{ byte: 7, times: 200 }];
const PLAIN: Form = { transform: 1, chunkBytes: 200, content: zstd(SEVENS) };
/** 300 bytes of "model-rtc " again and again, compressed by zstd 1.5 at level 1. */
const COMPRESSED = '28b52ffd602c008d0000506d6f64656c2d7274632001001f550b12';

function refused(): [string, number, Uint8Array][] {
  const { content } = PLAIN;
  return [
    ['nothing', 200, new Uint8Array()],
    ['the head alone', 200, form({ ...PLAIN, content: new Uint8Array() })],
    ['transform 0', 200, form({ ...PLAIN, transform: 0 })],
    ['transform 3', 200, form({ ...PLAIN, transform: 3 })],
    ['of a chunk of another length', 199, form(PLAIN)],
    ['with another length of the chunk than its manifest says', 200, form({ ...PLAIN, chunkBytes: 201 })],
    ['longer than its head says', 200, form({ ...PLAIN, encodedBytes: 9 + content.length - 1 })],
    ['shorter than its head says', 200, form({ ...PLAIN, encodedBytes: 9 + content.length + 1 })],
    ['no shorter than the chunk', 20, form({ transform: 1, chunkBytes: 20, content: zstd([{ raw: counting(20) }]) })],
    ['a content of another size', 200, form({ ...PLAIN, content: zstd([{ byte: 7, times: 199 }]) })],
    ['a content that is shorter than it says', 200, form({ ...PLAIN, content: zstd([{ byte: 7, times: 199 }], 200) })],
    ['a content that is longer than it says', 200, form({ ...PLAIN, content: zstd([{ byte: 7, times: 201 }], 200) })],
    ['a frame that does not say the size of its content', 200, form({ ...PLAIN, content: withoutSize(SEVENS) })],
    ['cut off', 200, form({ ...PLAIN, content: content.subarray(0, -1) })],
    ['no frame of zstd', 200, form({ ...PLAIN, content: counting(12) })],
  ];
}

function withoutSize(blocks: readonly Block[]): Uint8Array {
  return concatBytes(MAGIC, Uint8Array.of(0x00, 0x50), zstd(blocks).subarray(6));
}

export function encodedChunkVectors() {
  const long: readonly Block[] = [{ byte: 1, times: 150 }, { raw: counting(100) }, { byte: 2, times: 50 }];
  const longChunk = concatBytes(new Uint8Array(150).fill(1), counting(100), new Uint8Array(50).fill(2));
  const text = new TextEncoder().encode('model-rtc '.repeat(30));
  return {
    description:
      'Chunks in the encoding "planes-zstd-1", as hex. "size" is the length of the chunk by its manifest. The zstd frame has raw and repeated (RLE) blocks alone but for that with "compressed".',
    accepted: [
      { name: 'zstd alone', chunk: toHex(new Uint8Array(200).fill(7)), encoded: toHex(form(PLAIN)) },
      {
        name: 'several blocks',
        chunk: toHex(longChunk),
        encoded: toHex(form({ transform: 1, chunkBytes: longChunk.length, content: zstd(long) })),
      },
      planar('elements of 2 bytes', 2, new Uint8Array()),
      planar('elements of 2 bytes and a byte behind them', 2, Uint8Array.of(0xee)),
      planar('elements of 4 bytes', 4, new Uint8Array()),
      planar('elements of 4 bytes and three bytes behind them', 4, Uint8Array.of(0xaa, 0xbb, 0xcc)),
      {
        name: 'a compressed block',
        compressed: true,
        chunk: toHex(text),
        encoded: toHex(form({ transform: 1, chunkBytes: text.length, content: fromHex(COMPRESSED) })),
      },
    ],
    refused: refused().map(([name, size, encoded]) => ({ name, size, encoded: toHex(encoded) })),
  };
}
