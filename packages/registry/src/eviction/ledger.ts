/** A model that takes room. */
export interface Occupant {
  readonly id: string;
  /** Of all its files. */
  readonly bytes: number;
  /** Files of it that have other names too, as hard links, each with its bytes; the same key is the same file. None when left out. */
  readonly shared?: ReadonlyMap<string, SharedFile> | undefined;
}

export interface SharedFile {
  readonly bytes: number;
  /** How often the model itself has it. */
  readonly names: number;
}

/** What models take together: a file that several have as hard links counts once, until the last of them goes. */
export class Ledger {
  readonly #holders = new Map<string, number>();
  #usedBytes = 0;

  constructor(occupants: Iterable<Occupant>) {
    for (const occupant of occupants) this.add(occupant);
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** @returns the bytes that it takes besides what is there */
  add(occupant: Occupant): number {
    let bytes = ownBytes(occupant);
    for (const [file, shared] of occupant.shared ?? []) {
      const holders = this.#holders.get(file) ?? 0;
      if (holders === 0) bytes += shared.bytes;
      this.#holders.set(file, holders + 1);
    }
    this.#usedBytes += bytes;
    return bytes;
  }

  /** @returns the bytes that are free then */
  remove(occupant: Occupant): number {
    let bytes = ownBytes(occupant);
    for (const [file, shared] of occupant.shared ?? []) {
      const holders = (this.#holders.get(file) ?? 0) - 1;
      if (holders === 0) bytes += shared.bytes;
      this.#holders.set(file, holders);
    }
    this.#usedBytes -= bytes;
    return bytes;
  }
}

function ownBytes({ bytes, shared = new Map() }: Occupant): number {
  let own = bytes;
  for (const file of shared.values()) own -= file.bytes * file.names;
  return own;
}
