import { ModelRtcError } from '@model-rtc/protocol';
import { MAX_SKEW_MS } from '../../core/limits.ts';
import type { ProblemBook } from './problem-book.ts';

export interface ClocksOptions {
  /** Nodes whose catalogs were refused as from the future, and how far they are ahead. */
  readonly refused: () => ReadonlyMap<string, number>;
  readonly problems: Pick<ProblemBook, 'of' | 'note' | 'clear'>;
  readonly ownKey: string;
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
}

/** How long a comparison counts: connected members compare every few minutes. */
const COMPARED_MS = 10 * 60_000;
/** So much is how long an answer took, or a clock that runs a little fast: what is said stays as it is. */
const SAME_MS = 60_000;
/** One other clock may be the wrong one; of several that agree, most are right. */
const MIN_WITNESSES = 2;
const ADVICE = 'Set the clock that is wrong (on Linux: timedatectl set-ntp true).';

/** Compares this machine's clock with those of members, and says whose is wrong: what is signed in the future is refused, and what is old counts as absent. */
export class Clocks {
  readonly #options: ClocksOptions;
  readonly #compared = new Map<string, { readonly leadMs: number; readonly atMs: number }>();
  readonly #named = new Set<string>();

  constructor(options: ClocksOptions) {
    this.#options = options;
  }

  /** @param leadMs how far the member's clock is ahead of this machine's; less than 0 where it is behind */
  compared(key: string, leadMs: number): void {
    const before = this.#compared.get(key)?.leadMs ?? Number.POSITIVE_INFINITY;
    const isSame = Math.abs(leadMs - before) < SAME_MS;
    this.#compared.set(key, { leadMs: isSame ? before : leadMs, atMs: this.#options.wallMs() });
    this.look([key]);
  }

  /** Says what is wrong now, and takes back what is over. @param more nodes that an earlier process may have said something about */
  look(more: Iterable<string> = []): void {
    const { ownKey, refused } = this.#options;
    const leads = new Map([...refused(), ...this.#current()]);
    leads.delete(ownKey);
    if (leads.size > 0) {
      const ownLeadMs = ownLead([...leads.values()]);
      this.#say(ownKey, ownLeadMs === undefined ? undefined : ownProblem(ownLeadMs));
      if (ownLeadMs !== undefined) leads.clear();
    }
    for (const key of new Set([...leads.keys(), ...this.#named, ...more])) {
      const leadMs = leads.get(key) ?? 0;
      if (key !== ownKey) this.#say(key, Math.abs(leadMs) > MAX_SKEW_MS ? memberProblem(leadMs) : undefined);
    }
  }

  #current(): [string, number][] {
    const nowMs = this.#options.wallMs();
    // A clock that was set makes all of them void.
    for (const [key, { atMs }] of this.#compared) if (Math.abs(nowMs - atMs) > COMPARED_MS) this.#compared.delete(key);
    return [...this.#compared].map(([key, { leadMs }]) => [key, leadMs]);
  }

  /** What else is wrong with a node comes first. */
  #say(key: string, problem: string | undefined): void {
    const { problems } = this.#options;
    const said = problems.of(key);
    if (said !== undefined && !said.endsWith(ADVICE)) return;
    if (problem !== undefined) {
      problems.note(key, problem);
      this.#named.add(key);
      return;
    }
    this.#named.delete(key);
    if (said !== undefined) void problems.clear(key);
  }
}

/** What a visitor is told whose membership begins in the future. */
export function visitorsClockError(leadMs: number): ModelRtcError {
  return new ModelRtcError(
    'refused',
    `This machine's clock is ${difference(leadMs)} another member's, so it is not let in. ${ADVICE} Then join again: model-rtc mesh join INVITE.`,
    { details: { isClock: true } },
  );
}

/** How far this machine's clock is ahead of most others; undefined where they agree with it, or not with each other. */
function ownLead(leads: readonly number[]): number | undefined {
  for (const isThis of [(lead: number) => lead > MAX_SKEW_MS, (lead: number) => lead < -MAX_SKEW_MS]) {
    const witnesses = leads.filter(isThis).sort((a, b) => a - b);
    const median = witnesses[Math.floor(witnesses.length / 2)];
    if (witnesses.length >= MIN_WITNESSES && witnesses.length > leads.length / 2 && median !== undefined)
      return -median;
  }
  return undefined;
}

function ownProblem(leadMs: number): string {
  const effect = leadMs > 0 ? 'they refuse what it announces' : 'what they announce is refused here';
  return `This machine's clock is ${difference(leadMs)} those of most members that it hears, so ${effect}. ${ADVICE}`;
}

function memberProblem(leadMs: number): string {
  const effect = leadMs > 0 ? 'what it announces is refused here' : 'what it announces looks old';
  return `Its clock is ${difference(leadMs)} this machine's, so ${effect}. ${ADVICE}`;
}

function difference(leadMs: number): string {
  const minutes = Math.max(1, Math.round(Math.abs(leadMs) / 60_000));
  const [count, unit] = (
    [
      [minutes / 1440, 'day'],
      [minutes / 60, 'hour'],
      [minutes, 'minute'],
    ] as const
  ).find(([many, one]) => many >= 2 || one === 'minute') as readonly [number, string];
  return `about ${Math.round(count)} ${unit}s ${leadMs > 0 ? 'ahead of' : 'behind'}`;
}
