import { goesBefore } from '@model-rtc/transfer';
import type { MeshModelHolders } from '../../types.ts';
import { MAX_DONE } from './outcome.ts';
import { MAX_WAITING, NO_PROGRESS, type PrefetchState } from './prefetch-files.ts';
import { type PrefetchRule, wants } from './rule.ts';
import { scheduleAt } from './schedule.ts';

/** What one rule wants next. */
export interface RuleChoice {
  readonly rule: PrefetchRule;
  readonly next: MeshModelHolders | undefined;
  /** What keeps it from fetching; undefined where it wants something. */
  readonly waits: string | undefined;
}

/**
 * What each rule wants to fetch next, the most urgent rule first. A rule takes the smallest model first, so that a huge one does not hold up the others.
 * @param here - digests of this machine's models
 */
export function chooseNext(
  rules: readonly PrefetchRule[],
  state: PrefetchState,
  models: readonly MeshModelHolders[],
  here: ReadonlySet<string>,
  now: Date,
): readonly RuleChoice[] {
  const inOrder = [...rules].sort(
    (a, b) => Number(goesBefore(b.priority, a.priority)) - Number(goesBefore(a.priority, b.priority)),
  );
  // Each model belongs to one rule at a time, so that two rules do not both keep count of it.
  const taken = new Set<string>();
  return inOrder.map((rule) => {
    const { done, waiting } = state.rules[rule.id] ?? NO_PROGRESS;
    const { isOpen } = scheduleAt(rule, now);
    if (!isOpen) return { rule, next: undefined, waits: 'its time' };
    if (done.filter(({ outcome }) => outcome === 'fetched').length >= rule.maxModels || done.length >= MAX_DONE)
      return { rule, next: undefined, waits: `nothing: it fetched as many models as it may (${rule.maxModels})` };
    const over = new Set<string>(done.map(({ digest }) => digest));
    const later = new Map(waiting.map((one) => [one.digest as string, one]));
    const wanted = models
      .filter((model) => !over.has(model.digest) && !taken.has(model.digest) && wants(rule, model) && isGiven(model))
      .filter(({ digest }) => !here.has(digest));
    const due = wanted
      .filter(({ digest }) => {
        const one = later.get(digest);
        return one === undefined ? waiting.length < MAX_WAITING : Date.parse(one.notBefore) <= now.getTime();
      })
      .sort((a, b) => a.model.sizeBytes - b.model.sizeBytes || (a.digest < b.digest ? -1 : 1));
    const [next] = due;
    for (const { digest } of wanted) taken.add(digest);
    if (next !== undefined) return { rule, next, waits: undefined };
    const [first] = waiting.filter(({ digest }) => wanted.some((model) => model.digest === digest));
    const waits = first === undefined ? 'a model that fits' : `${first.name}: ${first.why}`;
    return { rule, next: undefined, waits };
  });
}

/** Whether somebody other than this machine has all of it. */
function isGiven({ holders }: MeshModelHolders): boolean {
  return holders.some(({ node, isWhole }) => isWhole && node.isPresent && !node.isSelf);
}
