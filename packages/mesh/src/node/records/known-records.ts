import { hintOf } from '../../core/beats/beat.ts';
import type { RecordSummary } from '../../core/gossip/types.ts';
import { recordId } from '../../core/record.ts';

export interface KnownRecord {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly order: number;
  /** Whose it is; undefined for the roster. */
  readonly key: string | undefined;
}

/** The newest record of each name, as its bytes came. */
export class KnownRecords {
  readonly #byName = new Map<string, KnownRecord>();
  readonly #keys = new Map<string, string>();
  /** By id: whose it is. */
  readonly #owners = new Map<string, string>();

  get size(): number {
    return this.#byName.size;
  }

  set(name: string, record: KnownRecord): void {
    this.#owners.delete(this.#byName.get(name)?.id ?? '');
    this.#byName.set(name, record);
    if (record.key === undefined) return;
    this.#keys.set(hintOf(record.key), record.key);
    this.#owners.set(record.id, record.key);
  }

  /** The key that begins with these 16 characters, where there is a record of its node. */
  keysBy(hint: string): readonly string[] {
    const key = this.#keys.get(hint);
    return key === undefined ? [] : [key];
  }

  /** The node whose newest record these bytes are. Every link tells of every record, so most are known, and looking here is much cheaper than reading one. */
  ownerOf(bytes: Uint8Array): string | undefined {
    return this.#owners.get(recordId(bytes));
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  orderOf(name: string): number | undefined {
    return this.#byName.get(name)?.order;
  }

  bytesOf(name: string): Uint8Array | undefined {
    return this.#byName.get(name)?.bytes;
  }

  /** @param counts - whether what a node signed is shown to others */
  summary(counts: (key: string) => boolean): RecordSummary[] {
    return [...this.#byName]
      .filter(([, { key }]) => key === undefined || counts(key))
      .map(([name, { order }]) => ({ name, order }));
  }
}
