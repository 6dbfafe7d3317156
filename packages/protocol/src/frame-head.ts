import { malformed } from './msgpack-scan.ts';

/** The byte that MessagePack never uses starts a frame; anything else on a lane is a message. */
const FRAME_MARK = 0xc1;
export const KIND_CHUNK = 1;
export const KIND_FRAGMENT = 2;
/** A flag of chunk frames: the payload is part of the chunk's encoded form, which is only sent to those who offer encodings. */
export const FLAG_ENCODED = 1;

/** The head of every frame: mark (1), kind (1), flags (2), three fields of the kind (12), length of the payload (4). */
export const FRAGMENT_HEADER_BYTES = 20;

/** Whether what came over a lane is a frame, and not a message. */
export function isFrame(bytes: Uint8Array): boolean {
  return bytes[0] === FRAME_MARK;
}

/** Whether a frame is of a kind that a newer version brought: it is passed over. */
export function isUnknownFrame(bytes: Uint8Array): boolean {
  return bytes.length >= FRAGMENT_HEADER_BYTES && bytes[1] !== KIND_CHUNK && bytes[1] !== KIND_FRAGMENT;
}

/** Marks the frame and writes its four fields; the last of them is the payload's length. */
export function writeHead(
  frame: Uint8Array,
  kind: number,
  fields: readonly [number, number, number, number],
  flags = 0,
): DataView {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  view.setUint8(0, FRAME_MARK);
  view.setUint8(1, kind);
  view.setUint16(2, flags);
  fields.forEach((field, i) => {
    view.setUint32(4 + 4 * i, field);
  });
  return view;
}

/**
 * The flags, the fields and the payload of a frame.
 * @param knownFlags the flags that frames of this kind may have. A receiver cannot read the payload of a frame with other flags.
 * @throws ModelRtcError `malformed_message`.
 */
export function readHead(bytes: Uint8Array, headerBytes: number, knownFlags = 0) {
  if (bytes.length <= headerBytes) throw malformed('a frame is cut off, or empty');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if ((flags & ~knownFlags) !== 0) throw malformed('a frame has unknown flags');
  if (view.getUint32(16) !== bytes.length - headerBytes) throw malformed('a frame has another length than it says');
  const fields = [view.getUint32(4), view.getUint32(8), view.getUint32(12)] as const;
  return { view, flags, fields, payload: bytes.subarray(headerBytes) };
}
