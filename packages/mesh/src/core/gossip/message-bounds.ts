import { type Beat, packBeats, packHints } from '../beats/beat.ts';

/** What one message holds at most. */
export interface MessageBounds {
  readonly recordBytes: number;
  readonly beats: number;
}

/** Over a lane: what an answer of the protocol holds, with room to spare, and one beat of each node. */
export const LANE_BOUNDS: MessageBounds = { recordBytes: 2 * 1024 * 1024, beats: 16_384 };
/** Where there is no lane, with room for names beside records. Beats that are left out come when the two compare again. */
export const SEALED_BOUNDS = { recordBytes: 192 * 1024, beats: 512, names: 2_000, parts: 7 } as const;

/** As many records as go into one message, one at least. */
export function firstBytes(
  records: readonly Uint8Array[],
  mostBytes: number,
): { readonly now: Uint8Array[]; readonly later: Uint8Array[] } {
  let bytes = 0;
  const end = records.findIndex((record) => {
    bytes += record.length;
    return bytes > mostBytes;
  });
  const at = end === -1 ? records.length : Math.max(end, 1);
  return { now: records.slice(0, at), later: records.slice(at) };
}

export function packedBeats(beats: readonly Beat[], { beats: most }: MessageBounds): { readonly beats?: Uint8Array } {
  return beats.length === 0 ? {} : { beats: packBeats(beats.slice(0, most)) };
}

export function packedHints(hints: readonly string[]): { readonly wantBeats?: Uint8Array } {
  return hints.length === 0 ? {} : { wantBeats: packHints(hints) };
}
