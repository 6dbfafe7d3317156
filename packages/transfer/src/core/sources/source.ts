import type { Digest, ModelRtcError } from '@model-rtc/protocol';

/** A chunk as a source is asked for it: `index` is the asker's label, which the pieces carry. */
export interface WantedChunk {
  readonly index: number;
  /** Undefined where nobody knows it: such a chunk is a range of one file. */
  readonly digest: Digest | undefined;
  readonly size: number;
  /** Where it lies in the model's files, its parts in order; computed when asked for. */
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
   * Takes a piece of a wanted chunk: `bytes` go at `offset` of it, and are copied before the call returns, so that the
   * source may reuse them. `intact` is false when a check of the source's own found the piece damaged.
   */
  readonly onPiece: (index: number, offset: number, bytes: Uint8Array, intact: boolean) => void;
  /** Told of a chunk that came intact and cannot be the one that was asked for: whoever sent it made it so. */
  readonly onWrong?: ((index: number) => void) | undefined;
  /** Told of bytes that came, also when they make no piece yet: whoever sends some is not stalled. */
  readonly onWireBytes?: ((bytes: number) => void) | undefined;
}

/** What carries a source's chunks, when it is one of several connections to the same agent. */
export interface SourceLane {
  /** Its number among those of one connection to the agent: the next connection gives it again. */
  readonly id: number;
  readonly kind: string;
  /** The WebRTC engine of this side. */
  readonly engine: string | undefined;
}

export interface FetchResult {
  /** Labels of wanted chunks that the source does not have yet: no fault, and it may be asked for them again later. */
  readonly missing?: readonly number[] | undefined;
}

/**
 * Anything that chunks can be fetched from. Nothing that it says is trusted: each chunk is checked by its SHA-256.
 */
export interface ChunkSource {
  /** How messages to people call it. */
  readonly name: string;
  /** Who is behind it, the same for all lanes of one agent: wrong bytes count against the origin. The name if not given. */
  readonly origin?: string | undefined;
  /** Its bytes are on this machine: they count as reused, not as transferred. No if not given. */
  readonly isLocal?: boolean | undefined;
  /** Whether a limit on the transfer's rate holds back what it is asked for. Yes if not given. */
  readonly isLimited?: boolean | undefined;
  /** It finds chunks by their digests alone, so it is not asked for ranges. No if not given. */
  readonly needsDigests?: boolean | undefined;
  /** The same object for the same connection: what came is counted by it. */
  readonly lane?: SourceLane | undefined;
  /**
   * Gives the pieces of the wanted chunks, in any order, and resolves when all were given, but for those that it says it does
   * not have yet. A chunk that it neither gives nor names counts as lost on the way: it is asked of another source.
   * Rejects when the source cannot go on, and is asked nothing more then. After `source_changed` nothing is taken from its
   * origin any more. A request that is aborted before the call gives nothing.
   * Several calls may run at once; each ends soon when its own signal aborts, and the others go on.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a source that always has everything has nothing to say.
  fetch(chunks: readonly WantedChunk[], options: FetchOptions): Promise<FetchResult | void>;
  /** The source delivers nothing; its requests are aborted, and what carries it should be replaced. */
  onStall?(error: ModelRtcError): void;
}
