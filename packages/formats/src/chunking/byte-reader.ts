/** Random access to the bytes of one file, whatever holds them: a file handle, a Blob, an array. */
export interface ByteReader {
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`, both within `size`. The caller may keep the array.
   * Rejects when the bytes cannot be read; that ends the planning, since the file itself is then in doubt.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}
