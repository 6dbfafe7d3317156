import type { ErrorCode, ModelRtcError } from '@model-rtc/protocol';
import type { MeshModelHolders } from '../../types.ts';
import type { AuditEntry } from '../audit.ts';
import { isNoConsent } from '../with-consent.ts';
import { type DoneModel, MAX_WAITING, type RuleProgress } from './prefetch-files.ts';

/** A model that failed is tried again after the first time, doubled each time, up to the longest; after so many tries it is given up. */
const AGAIN_MS = 60_000;
const LONGEST_AGAIN_MS = 6 * 60 * 60 * 1000;
const MAX_TRIES = 8;
/** Room and consent come when a person does something; to look costs nothing. They are never given up. */
const PERSON_MS = 10 * 60_000;
const MAX_WHY_CHARS = 500;

/** What fails again however often it is tried. */
const LASTING: ReadonlySet<ErrorCode> = new Set([
  'refused',
  'invalid_model',
  'alias_taken',
  'bad_argument',
  'scope_missing',
]);

/** How a rule's attempt at a model ended: `is_over` when its time ended or the rule was removed, `stopped` when the worker was. */
export type AttemptEnd =
  | { readonly type: 'fetched' }
  | { readonly type: 'already_there' }
  | { readonly type: 'stopped' }
  | { readonly type: 'is_over'; readonly why: 'time' | 'rule' }
  | { readonly type: 'failed'; readonly error: ModelRtcError };

export interface Attempt {
  readonly ruleId: string;
  readonly model: MeshModelHolders;
  readonly end: AttemptEnd;
}

/** What a rule knows after an attempt, and what to tell the owner: each thing once, however often it happens. */
export function afterAttempt(
  before: RuleProgress,
  { ruleId, model, end }: Attempt,
  now: Date,
): { readonly progress: RuleProgress; readonly audit: AuditEntry | undefined } {
  const { digest } = model;
  const name = nameOf(model);
  const { fetching: _, ...kept } = before;
  const waiting = before.waiting.filter((one) => one.digest !== digest);
  const about = { digest, name: name.slice(0, 256), at: now.toISOString() };
  const audit = (what: string): AuditEntry => ({
    ...({ event: 'prefetch', about: digest, bytes: model.model.sizeBytes } as const),
    ...{ what, by: `prefetch rule ${ruleId}` },
  });
  const done = (outcome: DoneModel['outcome'], why?: string): RuleProgress => ({
    ...{ ...kept, waiting },
    done: [{ ...about, outcome, why: why?.slice(0, MAX_WHY_CHARS) }, ...before.done].slice(0, MAX_DONE),
  });
  if (end.type === 'stopped') return { progress: kept, audit: undefined };
  if (end.type === 'fetched') return { progress: done('fetched'), audit: audit(`fetched ${name}`) };
  if (end.type === 'already_there') return { progress: done('fetched', 'it was here'), audit: undefined };
  if (end.type === 'is_over') {
    const why = end.why === 'time' ? 'the time of its rule is over; it goes on next time' : 'its rule was removed';
    return { progress: { ...kept, waiting }, audit: audit(`stopped fetching ${name}: ${why}`) };
  }
  const { code, message } = end.error;
  if (code === 'cancelled')
    return { progress: done('cancelled'), audit: audit(`stopped fetching ${name}: a person cancelled it`) };
  const needsPerson = code === 'storage_full' || isNoConsent(end.error);
  if (!needsPerson && LASTING.has(code))
    return { progress: done('refused', message), audit: audit(`will not fetch ${name}: ${message}`) };
  const last = before.waiting.find((one) => one.digest === digest);
  const tries = (last?.tries ?? 0) + 1;
  if (!needsPerson && tries >= MAX_TRIES)
    return { progress: done('gave_up', message), audit: audit(`gave up fetching ${name}: ${message}`) };
  const waitMs = needsPerson ? PERSON_MS : Math.min(LONGEST_AGAIN_MS, AGAIN_MS * 2 ** (tries - 1));
  const notBefore = new Date(now.getTime() + waitMs).toISOString();
  const entry = { ...about, code, why: message.slice(0, MAX_WHY_CHARS), tries, notBefore };
  const progress = { ...kept, waiting: [entry, ...waiting].slice(0, MAX_WAITING) };
  const verb = needsPerson ? 'did not fetch' : 'failed to fetch';
  return { progress, audit: last?.code === code ? undefined : audit(`${verb} ${name}: ${message}`) };
}

/** What a rule remembers at most; one that remembers so much rests. */
export const MAX_DONE = 1_000;

export function nameOf({ model, names }: MeshModelHolders): string {
  return model.alias ?? names[0] ?? model.name;
}
