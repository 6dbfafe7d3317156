import { MAX_SKEW_MS } from '../limits.ts';
import { type Beat, hintOf } from './beat.ts';
import { type BeatPlan, hashForward } from './chain.ts';

/** What came of a beat. */
export type BeatOutcome =
  /** It says that its node was alive later than was known. */
  | { readonly kind: 'news'; readonly key: string }
  /** Somebody still reveals the chain of a head that a newer one has replaced: two machines have this key. */
  | { readonly kind: 'doubled'; readonly key: string }
  /** It is old, or from the future. */
  | { readonly kind: 'ignored' }
  /** It belongs to a head that is not here yet. */
  | { readonly kind: 'early'; readonly key: string | undefined }
  /** It does not belong to the chain of the head that is here. */
  | { readonly kind: 'wrong'; readonly key: string; readonly steps: number };

/** What a head says about its beats. */
export interface BeatingHead {
  readonly key: string;
  readonly sequence: number;
  readonly issuedAtMs: number;
  readonly beats: BeatPlan | undefined;
}

interface KnownChain {
  readonly sequence: number;
  readonly issuedAtMs: number;
  readonly plan: BeatPlan | undefined;
  /** When the head that replaced this one was signed: whoever signs anew goes on with the new chain alone. */
  replacedAtMs: number;
  /** Of the newest beat that is known; 0 stands for the anchor. */
  index: number;
  value: Uint8Array;
}

/** Chains of earlier heads that are remembered of each node, so that a second machine with its key is noticed. */
const FORMER_CHAINS = 3;

/** When each node was alive last, by its heads and beats. A beat costs a few hashes, and no signature. */
export class BeatBook {
  readonly #wallMs: () => number;
  readonly #current = new Map<string, KnownChain>();
  readonly #former = new Map<string, readonly KnownChain[]>();
  readonly #keys = new Map<string, string>();

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** A head that is newer than all before: its signature was checked. */
  begin({ key, sequence, issuedAtMs, beats }: BeatingHead): void {
    const before = this.#current.get(key);
    if (before !== undefined) before.replacedAtMs = issuedAtMs;
    if (before?.plan !== undefined)
      this.#former.set(key, [before, ...(this.#former.get(key) ?? [])].slice(0, FORMER_CHAINS));
    const value = beats?.anchor ?? new Uint8Array();
    this.#current.set(key, {
      sequence,
      issuedAtMs,
      plan: beats,
      replacedAtMs: Number.POSITIVE_INFINITY,
      index: 0,
      value,
    });
    this.#keys.set(hintOf(key), key);
  }

  take(beat: Beat): BeatOutcome {
    const key = this.#keys.get(beat.hint);
    const current = key === undefined ? undefined : this.#current.get(key);
    if (key === undefined || current === undefined || beat.sequence > current.sequence) return { kind: 'early', key };
    if (beat.sequence === current.sequence) return this.#takeFrom(current, key, beat, 'news');
    const former = this.#former.get(key)?.find(({ sequence }) => sequence === beat.sequence);
    if (former?.plan === undefined || timeOf(former, beat.index) <= former.replacedAtMs + MAX_SKEW_MS)
      return { kind: 'ignored' };
    return this.#takeFrom(former, key, beat, 'doubled');
  }

  /** When the node was alive last, in milliseconds since 1970; undefined for one without a head. */
  aliveAtMs(key: string): number | undefined {
    const chain = this.#current.get(key);
    return chain === undefined ? undefined : timeOf(chain, chain.index);
  }

  /**
   * How many beats are known of a node; undefined where it has none to give.
   * @param untilMs leaves out those of a later time: two nodes that were told of them at different moments agree on the rest
   */
  indexOf(key: string, untilMs = Number.POSITIVE_INFINITY): number | undefined {
    const chain = this.#current.get(key);
    if (chain?.plan === undefined) return undefined;
    const due = Math.max(0, Math.floor((untilMs - chain.issuedAtMs) / chain.plan.intervalMs));
    return Math.min(chain.index, due);
  }

  /** The newest beat of a node, the anchor where none was revealed yet. @param hint the first 16 characters of its key */
  beatOf(hint: string): Beat | undefined {
    const chain = this.#current.get(this.#keys.get(hint) ?? '');
    if (chain?.plan === undefined) return undefined;
    return { hint, sequence: chain.sequence, index: chain.index, value: chain.value };
  }

  #takeFrom(chain: KnownChain, key: string, { index, value }: Beat, kind: 'news' | 'doubled'): BeatOutcome {
    if (chain.plan === undefined || index > chain.plan.count) return { kind: 'wrong', key, steps: 0 };
    const steps = index - chain.index;
    if (steps <= 0 || timeOf(chain, index) > this.#wallMs() + MAX_SKEW_MS) return { kind: 'ignored' };
    const reached = hashForward(key, value, steps);
    if (reached.some((byte, i) => byte !== chain.value[i])) return { kind: 'wrong', key, steps };
    chain.index = index;
    chain.value = value;
    return { kind, key };
  }
}

/** Which moment a beat stands for. */
function timeOf({ issuedAtMs, plan }: KnownChain, index: number): number {
  return issuedAtMs + index * (plan?.intervalMs ?? 0);
}
