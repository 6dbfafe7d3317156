import type { Digest, ModelRtcError } from '@model-rtc/protocol';

/** A chunk to ask a source for. `index` is the asker's label, which the pieces carry. */
export interface WantedChunk {
  readonly index: number;
  /** Undefined when it is unknown: the chunk is then a range of one file. */
  readonly digest: Digest | undefined;
  readonly size: number;
  /** Where it lies in the model's files, part by part; computed on demand. */
  extents(): readonly FileExtent[];
}

/** A run of bytes of one file. */
export interface FileExtent {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  /**
   * Takes a piece of a wanted chunk: `bytes` go at `offset`. They are copied before the call returns, so the source may reuse
   * them. `intact` is false when the source's own check found the piece damaged.
   */
  readonly onPiece: (index: number, offset: number, bytes: Uint8Array, intact: boolean) => void;
  /** Called for a chunk that came intact but cannot be the one that was asked for, so its sender is to blame. */
  readonly onWrong?: ((index: number) => void) | undefined;
  /** Called when bytes come, even before they make a piece, so that the source does not count as stalled. */
  readonly onWireBytes?: ((bytes: number) => void) | undefined;
}

/** What a source that is still fetching the model itself has of it, by places in the list of chunks. */
export type HoldingsNews =
  /** By place: 1 for each chunk that it has. */
  | { readonly type: 'partial'; readonly has: Uint8Array }
  | { readonly type: 'more'; readonly places: readonly number[] }
  | { readonly type: 'whole' };

/** Tells which chunks a source has. Without a word from it, the source counts as one that may have all. */
export interface Holdings {
  /**
   * @param list - the layout's `listHash`: a source that cuts the model in another way says nothing
   * @param count - how many places the list has
   * @returns a function that stops listening
   */
  follow(list: string, count: number, listener: (news: HoldingsNews) => void): () => void;
}

/** The connection that carries a source's chunks, when there may be several to the same agent. */
export interface SourceLane {
  /** Its number within this connection to the agent; a later connection uses the number again. */
  readonly id: number;
  readonly kind: string;
  /** The WebRTC engine of this side. */
  readonly engine: string | undefined;
}

export interface FetchResult {
  /**
   * Labels of chunks that the source does not have yet, or that it gives to another receiver first who will pass them on. That is no
   * fault: it may be asked for them again later.
   */
  readonly missing?: readonly number[] | undefined;
}

/**
 * Anything that chunks can be fetched from. It is not trusted: each chunk is checked by its SHA-256, or by that of its file.
 */
export interface ChunkSource {
  /** Its name in messages to people. */
  readonly name: string;
  /** Who is behind it, the same for all lanes of one agent: wrong bytes count against the origin. The name by default. */
  readonly origin?: string | undefined;
  /** Whether its bytes are on this machine: they then count as reused, not as transferred. False by default. */
  readonly isLocal?: boolean | undefined;
  /** Whether the transfer's rate limit applies to it. True by default. */
  readonly isLimited?: boolean | undefined;
  /** Whether it finds chunks by their digests alone, and is never asked for ranges. False by default. */
  readonly needsDigests?: boolean | undefined;
  /** Whether what it does not give may come sooner from others that are fetching the model. False by default. */
  readonly givesWay?: boolean | undefined;
  /** Tells which chunks it has while it is still fetching the model itself. */
  readonly holdings?: Holdings | undefined;
  /** The same object for the same connection, since bytes are counted per lane. */
  readonly lane?: SourceLane | undefined;
  /**
   * Gives the pieces of the wanted chunks, in any order, and resolves when all were given, but for those that it says it does
   * not have yet. A chunk that it neither gives nor names counts as lost on the way: another source is asked for it.
   * Rejects when the source cannot go on, and is asked nothing more then. After `source_changed` nothing is taken from its
   * origin any more. A request that is aborted before the call gives nothing.
   * Several calls may run at once; each ends soon when its own signal aborts, and the others go on.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a source that always has everything has nothing to say.
  fetch(chunks: readonly WantedChunk[], options: FetchOptions): Promise<FetchResult | void>;
  /** Called when the source delivers nothing: its requests are aborted, and what carries it should be replaced. */
  onStall?(error: ModelRtcError): void;
}
