import { unpackValue } from '@model-rtc/protocol';
import { bytesToHex } from '@noble/hashes/utils.js';
import { decodeRecord, RECORD_LIMITS, type SignedRecord } from '../../core/index.ts';

export const ROSTER = 'roster';

/** The field that says how new a record of each kind is. */
const ORDERED_BY: Readonly<Record<SignedRecord['kind'], string>> = {
  roster: 'sequence',
  membership: 'joinedAt',
  leave: 'leftAt',
  model_catalog: 'sequence',
  invite: 'issuedAt',
};

const KIND_ORDER: readonly SignedRecord['kind'][] = ['roster', 'membership', 'leave', 'model_catalog', 'invite'];

/** Records from this machine's disk, those first on which others depend. Damaged ones are asked for again from other members. */
export function decodeKept(kept: readonly Uint8Array[]): SignedRecord[] {
  const records = kept.flatMap((bytes) => {
    try {
      return [decodeRecord(new Uint8Array(bytes))];
    } catch {
      return [];
    }
  });
  return records.sort((a, b) => KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind));
}

const CATALOG = 'model_catalog/';

export function catalogName(key: string): string {
  return `${CATALOG}${key}`;
}

/** Whose catalog's head it is; undefined for the name of another record. */
export function catalogKey(name: string): string | undefined {
  return name.startsWith(CATALOG) ? name.slice(CATALOG.length) : undefined;
}

/** What a record that was checked is called, and how new it is. */
export function namedAs({ kind, body }: SignedRecord): {
  readonly name: string;
  readonly key: string | undefined;
  readonly order: number;
} {
  const fields = unpackValue(body, RECORD_LIMITS) as Record<string, unknown>;
  // Only the field that was checked for its kind: a body may have others, and an order that is no count breaks what others send.
  const order = Number(fields[ORDERED_BY[kind]]);
  if (kind === 'roster') return { name: ROSTER, key: undefined, order };
  const key = bytesToHex(fields.node as Uint8Array);
  return { name: `${kind}/${key}`, key, order };
}

/** The node that a record is about, which may come from anyone; undefined for one that is not valid. */
export function keyOf(record: SignedRecord): string | undefined {
  try {
    return namedAs(record).key;
  } catch {
    return undefined;
  }
}
