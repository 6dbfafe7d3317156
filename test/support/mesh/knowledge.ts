/** What machines know of their mesh. */
export interface Knowledge {
  /** The data folders of the machines that know this. */
  readonly homes: readonly string[];
  /** The names of all members, sorted. */
  readonly members: readonly string[];
  readonly present: readonly string[];
  /** By the names of a model: the present nodes that have it, with commas between them. */
  readonly holders: Readonly<Record<string, string>>;
}
