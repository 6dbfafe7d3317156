/** What a record is called and how new it is: of two with one name, the higher order counts. */
export interface RecordSummary {
  readonly name: string;
  readonly order: number;
}

/** What one node tells another, over a lane or without one. */
export interface SyncMessage {
  /** Signed records that the other side lacks, as far as this side knows. */
  readonly records: readonly Uint8Array[];
  /** All that this side has; the answer brings what is newer and asks for what is missing. Left out where only news is told. */
  readonly have?: readonly RecordSummary[] | undefined;
  /** The ranges of names that `have` is about: all of them when it is left out. */
  readonly ranges?: readonly number[] | undefined;
  /** Asks in which ranges the two differ: 8 bytes for each of 256. */
  readonly hashes?: Uint8Array | undefined;
  /** Parts of catalogs that the other side lacks and cannot fetch. */
  readonly parts?: readonly Uint8Array[] | undefined;
}

export interface SyncReply {
  readonly records: readonly Uint8Array[];
  /** Names of records that the asker has and this side lacks. */
  readonly want: readonly string[];
  /** The answer to `hashes`. */
  readonly ranges?: readonly number[] | undefined;
  /** Hashes of parts that this side lacks, where it cannot fetch them. */
  readonly missing?: readonly string[] | undefined;
}

/** The signed records of one mesh on this machine. */
export interface RecordStore {
  summary(): Iterable<RecordSummary>;
  orderOf(name: string): number | undefined;
  bytesOf(name: string): Uint8Array | undefined;
  /**
   * Checks a record and keeps it if it is news.
   * @returns its name if it is news; undefined when it is known, old or not acceptable; false when a signature is wrong: members
   * check that before they pass a record on
   */
  accept(bytes: Uint8Array, fromKey: string): Promise<string | false | undefined>;
  /** Hashes of catalog parts that the heads name and that are not here, at most so many. */
  missingParts(most: number, isSkipped?: (hash: string) => boolean): readonly string[];
  part(hash: string): Uint8Array | undefined;
  /** @returns whether it is news: false for what no head names, and for what is not valid */
  acceptPart(bytes: Uint8Array, fromKey: string): Promise<boolean>;
}
