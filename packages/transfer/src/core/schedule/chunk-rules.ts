/** What may not be asked of whom, where that is not the same for all chunks. */
export interface ChunkRules {
  /** The answer for one chunk and source may change from call to call. */
  mayAsk(id: number, source: { readonly number: number; readonly origin: string }): boolean;
}
