import { type Clock, ModelRtcError } from '@model-rtc/protocol';

/** What one member sends and asks for is counted for this long, then anew. */
const WINDOW_MS = 60_000;
/** What one member may send in a minute: all catalogs of a large mesh after a partition, several times over. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_RECORDS = 50_000;
/** What one member may be given in a minute: all that a large mesh has, to a machine that lost it, several times over. */
const MAX_GIVEN_BYTES = 256 * 1024 * 1024;
/** What news one member is told in a minute: below what it takes from one, so that passing on others' news shuts nobody out. */
const MAX_TOLD_RECORDS = MAX_RECORDS / 2;
const MAX_TOLD_BYTES = MAX_BYTES / 2;
/** Those who come in by the door are counted too, each visit by itself. */
const MAX_COUNTED = 1_024;

/** What something costs whoever answers it, in records. */
export const COSTS = {
  /** A message, whatever is in it. */
  message: 5,
  /** Comparing hashes of all names, which an honest member does once a minute. */
  hashes: 200,
  /** A record with a wrong signature takes a millisecond and a half to see, and honest members send none. */
  forged: 500,
  /** So many names to compare. */
  namesPerRecord: 32,
} as const;

interface Budget {
  readonly sinceMs: number;
  bytes: number;
  records: number;
  givenBytes: number;
  toldRecords: number;
  toldBytes: number;
}

export interface MemberBudgetsOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly onBrokenLimit: (key: string, problem: string) => void;
}

/** What each member sent, asked for and was told in this minute. */
export class MemberBudgets {
  readonly #options: MemberBudgetsOptions;
  readonly #budgets = new Map<string, Budget>();

  constructor(options: MemberBudgetsOptions) {
    this.#options = options;
  }

  /** @throws ModelRtcError `busy` when the member sends more than it may, after it was dropped for it */
  take(key: string, { bytes = 0, records = 0 }: { readonly bytes?: number; readonly records?: number }): void {
    const budget = this.#of(key);
    budget.bytes += bytes;
    budget.records += records;
    if (budget.bytes <= MAX_BYTES && budget.records <= MAX_RECORDS) return;
    this.#options.onBrokenLimit(key, 'It sends more records in a minute than a member may.');
    throw new ModelRtcError('busy', 'You send more records in a minute than a member may. Wait a minute.');
  }

  /** @throws ModelRtcError `busy` when the member asks for more than it may, after it was dropped for it */
  give(key: string, bytes: number): void {
    const budget = this.#of(key);
    budget.givenBytes += bytes;
    if (budget.givenBytes <= MAX_GIVEN_BYTES) return;
    this.#options.onBrokenLimit(key, 'It asks for more records in a minute than a member may.');
    throw new ModelRtcError('busy', 'You ask for more records in a minute than a member may. Wait a minute.');
  }

  /** @returns whether the member may be told: what is too much now comes when the two compare */
  mayTell(key: string, records: readonly Uint8Array[]): boolean {
    const budget = this.#of(key);
    const bytes = bytesIn(records);
    if (budget.toldRecords + records.length > MAX_TOLD_RECORDS || budget.toldBytes + bytes > MAX_TOLD_BYTES)
      return false;
    budget.toldRecords += records.length;
    budget.toldBytes += bytes;
    return true;
  }

  #of(key: string): Budget {
    const nowMs = this.#options.clock.nowMs();
    const known = this.#budgets.get(key);
    if (known !== undefined && nowMs - known.sinceMs <= WINDOW_MS) return known;
    if (this.#budgets.size >= MAX_COUNTED) this.#forgetOver(nowMs);
    const budget = { sinceMs: nowMs, bytes: 0, records: 0, givenBytes: 0, toldRecords: 0, toldBytes: 0 };
    this.#budgets.set(key, budget);
    return budget;
  }

  #forgetOver(nowMs: number): void {
    for (const [key, { sinceMs }] of this.#budgets) if (nowMs - sinceMs > WINDOW_MS) this.#budgets.delete(key);
  }
}

export function bytesIn(items: readonly Uint8Array[]): number {
  return items.reduce((sum, { length }) => sum + length, 0);
}
