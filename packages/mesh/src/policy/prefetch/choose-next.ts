import { PRIORITIES } from '@model-rtc/transfer';
import { MAX_PREFETCH_DONE, MAX_PREFETCH_WAITING } from '../../core/limits.ts';
import type { MeshModelHolders } from '../../types.ts';
import { NO_PROGRESS, type PrefetchState } from './prefetch-files.ts';
import { type PrefetchRule, wantsModel } from './rule.ts';
import { scheduleAt } from './schedule.ts';

/** What one rule wants next. */
export interface RuleChoice {
  readonly rule: PrefetchRule;
  readonly next: MeshModelHolders | undefined;
  /** What keeps it from fetching; undefined where it wants something. */
  readonly waits: string | undefined;
}

/** What is known when rules choose. */
export interface ChoiceGround {
  readonly rules: readonly PrefetchRule[];
  readonly state: PrefetchState;
  /** What the mesh has. */
  readonly models: readonly MeshModelHolders[];
  /** Digests of this machine's models. */
  readonly here: ReadonlySet<string>;
  readonly now: Date;
}

/**
 * What each rule wants to fetch next, the most urgent rule first. A rule takes the smallest model first, so that a huge one does not hold up the
 * others. What any rule has done with once is left alone by all.
 */
export function chooseNext(ground: ChoiceGround): readonly RuleChoice[] {
  const { rules, state, models, here } = ground;
  const done = Object.values(state.rules).flatMap((progress) => progress.done.map(({ digest }) => digest));
  const over = new Set<string>([...done, ...here]);
  const rankOf = ({ priority }: PrefetchRule): number => PRIORITIES.indexOf(priority);
  return [...rules]
    .sort((a, b) => rankOf(a) - rankOf(b))
    .map((rule) => {
      const wanted = models.filter((model) => !over.has(model.digest) && isGiven(model) && wantsModel(rule, model));
      const choice = choiceOf(rule, wanted, ground);
      // A model belongs to one rule at a time, so that two rules do not both keep count of it.
      if (choice.isOpen) for (const { digest } of wanted) over.add(digest);
      return choice;
    });
}

function choiceOf(
  rule: PrefetchRule,
  wanted: readonly MeshModelHolders[],
  { state, now }: ChoiceGround,
): RuleChoice & { readonly isOpen: boolean } {
  const { done, waiting } = state.rules[rule.id] ?? NO_PROGRESS;
  const resting = (waits: string, isOpen: boolean) => ({ rule, next: undefined, waits, isOpen });
  if (!scheduleAt(rule, now).isOpen) return resting('its time', false);
  const fetched = done.filter(({ outcome }) => outcome === 'fetched').length;
  if (fetched >= rule.maxModels) return resting(`nothing: it fetched all ${rule.maxModels} models that it may`, false);
  if (done.length >= MAX_PREFETCH_DONE) return resting(`nothing: it is done with ${MAX_PREFETCH_DONE} models`, false);
  const digests = new Set<string>(wanted.map(({ digest }) => digest));
  // What nobody has any more takes no place from others.
  const tried = new Map(waiting.filter(({ digest }) => digests.has(digest)).map((one) => [one.digest, one]));
  const isDue = ({ digest }: MeshModelHolders): boolean => {
    const before = tried.get(digest);
    return before === undefined ? tried.size < MAX_PREFETCH_WAITING : Date.parse(before.notBefore) <= now.getTime();
  };
  const [next] = wanted
    .filter(isDue)
    .sort((a, b) => a.model.sizeBytes - b.model.sizeBytes || (a.digest < b.digest ? -1 : 1));
  if (next !== undefined) return { rule, next, waits: undefined, isOpen: true };
  const [first] = tried.values();
  return resting(first === undefined ? 'a model that fits' : `${first.name}: ${first.why}`, true);
}

/** Whether somebody other than this machine has all of it. */
function isGiven({ holders }: MeshModelHolders): boolean {
  return holders.some(({ node, isWhole }) => isWhole && node.isPresent && !node.isSelf);
}
