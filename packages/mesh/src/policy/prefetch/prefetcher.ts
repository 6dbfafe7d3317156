import { type Clock, type Digest, type Log, ModelRtcError, pause, silentLog, systemClock } from '@model-rtc/protocol';
import type { Priority } from '@model-rtc/transfer';
import type { Mesh, MeshModelHolders } from '../../types.ts';
import type { PullGiver } from '../audit-entries.ts';
import { withConsent } from '../with-consent.ts';
import { chooseNext, type RuleChoice } from './choose-next.ts';
import { type AfterAttempt, type Attempt, afterAttempt, nameOf } from './outcome.ts';
import { NO_PROGRESS, type RuleProgress } from './prefetch-files.ts';
import type { MeshRules, PrefetchStore } from './prefetch-store.ts';
import { scheduleAt } from './schedule.ts';

/** How often it is looked for something to fetch, and whether what is being fetched still may be. */
const LOOK_MS = 10_000;
/** Looking takes at most this part of the time, however many models there are; a machine that slept meanwhile does not rest for long. */
const LOOKING_PART = 50;
const LONGEST_REST_MS = 5 * 60_000;
/** A disk that takes no state would otherwise be tried again and again. */
const AFTER_FAULT_MS = 60_000;

export interface PrefetcherOptions {
  readonly store: PrefetchStore;
  /** The meshes that the worker takes part in now. */
  readonly meshes: () => Promise<readonly Mesh[]>;
  /** The digests of this machine's models. */
  readonly here: () => Promise<ReadonlySet<string>>;
  /** Fetches a model from the nodes of a mesh. @throws ModelRtcError as a pull does; the signal's reason when that aborts */
  readonly fetch: (mesh: Mesh, digest: Digest, how: FetchHow) => Promise<'fetched' | 'already_there'>;
  readonly now?: (() => Date) | undefined;
  readonly clock?: Clock | undefined;
  readonly log?: Log | undefined;
}

export interface FetchHow {
  readonly priority: Priority;
  readonly signal: AbortSignal;
  /** Is told who has given how much so far. */
  readonly onGivers: (givers: readonly PullGiver[]) => void;
}

/** Fetches what the prefetch rules of this machine's meshes want, one model after the other, until it is disposed of. */
export function startPrefetching(options: PrefetcherOptions): AsyncDisposable {
  const closed = new AbortController();
  const running = new Prefetcher(options, closed.signal).run();
  return {
    async [Symbol.asyncDispose]() {
      closed.abort(new ModelRtcError('cancelled', 'The worker stops.'));
      await running;
    },
  };
}

interface Task {
  readonly mesh: Mesh;
  readonly files: MeshRules;
  readonly choice: RuleChoice & { readonly next: MeshModelHolders };
}

class Prefetcher {
  readonly #options: PrefetcherOptions;
  readonly #closed: AbortSignal;
  readonly #clock: Clock;
  readonly #now: () => Date;
  readonly #log: Log;

  constructor(options: PrefetcherOptions, closed: AbortSignal) {
    const { clock = systemClock, now = () => new Date(), log = silentLog } = options;
    this.#options = options;
    this.#closed = closed;
    this.#clock = clock;
    this.#now = now;
    this.#log = log;
  }

  async run(): Promise<void> {
    while (!this.#closed.aborted) {
      const beganMs = this.#clock.nowMs();
      let restMs: number;
      try {
        const task = await this.#nextTask();
        const tookMs = this.#clock.nowMs() - beganMs;
        restMs = task === undefined ? Math.min(LONGEST_REST_MS, Math.max(LOOK_MS, LOOKING_PART * tookMs)) : 0;
        if (task !== undefined) await this.#attempt(task);
      } catch (error) {
        this.#log.warn({ err: error }, `prefetch rules cannot be followed now: ${ModelRtcError.from(error).message}`);
        restMs = AFTER_FAULT_MS;
      }
      if (restMs > 0) await pause(restMs, this.#clock, this.#closed).catch(() => undefined);
    }
  }

  /** Looks at the rules of all meshes, notes what they wait for, and returns the first thing to fetch. */
  async #nextTask(): Promise<Task | undefined> {
    const { meshes, here } = this.#options;
    const ruled = await this.#withRules();
    let first: Task | undefined;
    // Meshes without rules are not even opened.
    for (const mesh of ruled.length === 0 ? [] : await meshes()) {
      const found = ruled.find(({ files }) => files.meshId === mesh.id);
      if (found === undefined) continue;
      const { files, rules } = found;
      const now = this.#now();
      const isAnyOpen = rules.some((rule) => scheduleAt(rule, now).isOpen);
      const models = isAnyOpen ? await mesh.models() : [];
      const has = isAnyOpen ? await here() : new Set<string>();
      for (const choice of chooseNext({ rules, state: await files.state.read(), models, here: has, now })) {
        const { next, rule, waits } = choice;
        if (next !== undefined && first === undefined) first = { mesh, files, choice: { ...choice, next } };
        else await this.#note(files, rule.id, (before) => withWaits(before, waits ?? 'another model, which is first'));
      }
    }
    return first;
  }

  async #withRules() {
    const all = await this.#options.store.meshes();
    const read = all.map(async (files) => ({ files, rules: (await files.rules.read()).rules }));
    return (await Promise.all(read)).filter(({ rules }) => rules.length > 0);
  }

  async #attempt({ mesh, files, choice: { rule, next } }: Task): Promise<void> {
    const at = this.#now().toISOString();
    const fetching = { digest: next.digest, name: nameOf(next).slice(0, 256), at };
    await this.#note(files, rule.id, ({ waits: _, ...before }) => ({ ...before, fetching }));
    const { end, from } = await this.#fetch({ mesh, files, choice: { rule, next, waits: undefined } });
    let audit: AfterAttempt['audit'];
    await this.#note(files, rule.id, (before) => {
      const after = afterAttempt(before, { ruleId: rule.id, model: next, end, from }, this.#now());
      audit = after.audit;
      return after.progress;
    });
    if (audit !== undefined) await this.#options.store.audit(audit);
  }

  /** Fetches a model for as long as its rule lets it. */
  async #fetch({ mesh, files, choice: { rule, next } }: Task): Promise<Pick<Attempt, 'end' | 'from'>> {
    let from: readonly PullGiver[] = [];
    const onGivers = (givers: readonly PullGiver[]): void => {
      from = givers;
    };
    const over = new AbortController();
    let why: 'time' | 'rule' = 'time';
    const look = async (): Promise<void> => {
      const { rules } = await files.rules.read();
      const now = rules.find(({ id }) => id === rule.id);
      if (now !== undefined && scheduleAt(now, this.#now()).isOpen) return;
      if (now === undefined) why = 'rule';
      over.abort(new ModelRtcError('cancelled', 'The rule does not let this model be fetched any more.'));
    };
    const stop = this.#clock.every(LOOK_MS, () => void look().catch(() => undefined));
    const signal = AbortSignal.any([this.#closed, over.signal]);
    try {
      const consented = withConsent(mesh);
      // Says who has to agree before anything is begun.
      await consented.find(next.digest);
      const how = { priority: rule.priority, signal, onGivers };
      const type = await this.#options.fetch(consented, next.digest, how);
      return { end: { type }, from };
    } catch (error) {
      if (this.#closed.aborted) return { end: { type: 'stopped' }, from };
      if (over.signal.aborted) return { end: { type: 'is_over', why }, from };
      return { end: { type: 'failed', error: ModelRtcError.from(error) }, from };
    } finally {
      stop();
    }
  }

  /** Changes what is known of a rule, unless the rule is gone. What belongs to rules that are gone goes. */
  async #note(files: MeshRules, id: string, change: (before: RuleProgress) => RuleProgress): Promise<void> {
    const ids = new Set((await files.rules.read()).rules.map((rule) => rule.id));
    await files.state.update((state) => {
      const before = state.rules[id] ?? NO_PROGRESS;
      const after = change(before);
      if (after === before && Object.keys(state.rules).every((one) => ids.has(one))) return state;
      const kept = Object.entries({ ...state.rules, [id]: after }).filter(([one]) => ids.has(one));
      return { rules: Object.fromEntries(kept) };
    });
  }
}

function withWaits(before: RuleProgress, waits: string): RuleProgress {
  const shown = waits.slice(0, 500);
  if (before.waits === shown && before.fetching === undefined) return before;
  const { fetching: _, ...kept } = before;
  return { ...kept, waits: shown };
}
