import type { Digest } from '@model-rtc/protocol';

/** What the engine asks of a hashing thread. Every request is answered once, in order. */
export type HashThreadRequest =
  /** Starts a file: its whole digest, or those of its chunks. */
  | { readonly type: 'open'; readonly file: number; readonly chunkSizes: readonly number[] | undefined }
  | { readonly type: 'update'; readonly file: number; readonly block: number; readonly length: number }
  | { readonly type: 'finish'; readonly file: number };

/** The digests answer `finish`; the others are answered with nothing. */
export type HashThreadReply = readonly Digest[] | undefined;
