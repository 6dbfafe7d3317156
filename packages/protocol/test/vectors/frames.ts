import {
  encodeFragments,
  type FrameCodec,
  loadFrameCodec,
  MAX_CHUNK_BYTES,
  MAX_MESSAGE_BYTES,
} from '../../src/index.ts';
import { counting, fromHex, toHex, turned } from './bytes.ts';

const headers = [
  { request: 0, index: 0, offset: 0, encoded: false, payload: Uint8Array.of(0) },
  { request: 1, index: 2, offset: 3, encoded: false, payload: counting(5, 0xa0) },
  { request: 0xffff_ffff, index: 0xffff_fffe, offset: MAX_CHUNK_BYTES - 40, encoded: false, payload: counting(40) },
  { request: 1, index: 2, offset: 9, encoded: true, payload: counting(5, 0xa0) },
];

function chunk(codec: FrameCodec, { payload, ...header }: (typeof headers)[number]) {
  const frame = codec.encodeChunk(header, payload);
  return { ...header, payload: toHex(payload), xxh64: toHex(frame.subarray(20, 28)), frame: toHex(frame) };
}

function fragmented(messageId: number, message: Uint8Array, maxMessageSize: number) {
  const frames = [...encodeFragments(message, messageId, maxMessageSize)].map(toHex);
  return { messageId, message: toHex(message), maxMessageSize, frames };
}

/** A frame with a u32 written at a place. */
function patched(frame: Uint8Array, at: number, value: number): Uint8Array {
  const copy = frame.slice();
  new DataView(copy.buffer).setUint32(at, value);
  return copy;
}

function refused(codec: FrameCodec): [string, Uint8Array][] {
  const frame = codec.encodeChunk({ request: 1, index: 2, offset: 3 }, counting(5));
  const fragment = [...encodeFragments(counting(30), 7, 40 - 12)][0] as Uint8Array;
  return [
    ['nothing', new Uint8Array()],
    ['a message', fromHex('81a474797065a470696e67')],
    ['the mark alone', Uint8Array.of(0xc1)],
    ['an unknown kind', turned(turned(frame, 1), 1).fill(3, 1, 2)],
    ['an unknown flag is set', turned(frame, 3).fill(2, 3, 4)],
    ['an unknown flag beside the known one', turned(frame, 3).fill(3, 3, 4)],
    ['the other flags byte is set', turned(frame, 2)],
    ['cut off in the header', frame.subarray(0, 27)],
    ['cut off in the payload', frame.subarray(0, -1)],
    ['a byte more than it says', Buffer.concat([frame, Uint8Array.of(0)])],
    ['a longer length', patched(frame, 16, 6)],
    ['a length near 2^32', patched(frame, 16, 0xffff_ffff)],
    ['no payload', patched(frame.slice(0, 28), 16, 0)],
    ['beyond the longest chunk', patched(frame, 12, MAX_CHUNK_BYTES - 4)],
    ['an offset near 2^32', patched(frame, 12, 0xffff_ffff)],
    ['a fragment that is cut off', fragment.subarray(0, -1)],
    ['a fragment without payload', patched(fragment.slice(0, 20), 16, 0)],
    ['a fragment with a flag', turned(fragment, 3)],
    ['a fragment beyond its message', patched(fragment, 12, 23)],
    ['a fragment of a message that is too long', patched(fragment, 8, MAX_MESSAGE_BYTES + 1)],
  ];
}

export async function frameVectors() {
  const codec = await loadFrameCodec();
  const frame = codec.encodeChunk({ request: 9, index: 8, offset: 7 }, counting(32));
  return {
    description:
      'Chunk frames and fragments as hex. "damaged" frames are well formed, but their payload is not what was sent.',
    chunks: headers.map((header) => chunk(codec, header)),
    damaged: [
      { name: 'a bit of the payload', frame: toHex(turned(frame, -1)) },
      { name: 'a bit of the hash', frame: toHex(turned(frame, 20)) },
    ],
    fragments: [
      fragmented(5, counting(50), 40),
      fragmented(0xffff_ffff, counting(40, 0x81), 21),
      fragmented(1, counting(8), 40),
    ],
    refused: refused(codec).map(([name, bytes]) => ({ name, bytes: toHex(bytes) })),
  };
}
