/** Which sources may be asked for which chunks, where not all may give any. */
export interface ChunkRules {
  /** The answer for a chunk and source may change over time. */
  mayAsk(id: number, source: { readonly number: number; readonly origin: string }): boolean;
}
