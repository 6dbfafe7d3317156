import { type ErrorCode, formatBytes, type ModelRtcError } from '@model-rtc/protocol';
import { MAX_PREFETCH_DONE, MAX_PREFETCH_WAITING } from '../../core/limits.ts';
import type { MeshModelHolders } from '../../types.ts';
import type { AuditEntry } from '../audit.ts';
import { nodesOf, type PullGiver, sourceText } from '../audit-entries.ts';
import { consentCommand, consentNames, isNoConsent } from '../with-consent.ts';
import type { DoneModel, RuleProgress, WaitingModel } from './prefetch-files.ts';

/** A model that failed is tried again after the first time, doubled each time, up to the longest; after so many tries it is given up. */
const AGAIN_MS = 60_000;
const LONGEST_AGAIN_MS = 6 * 60 * 60 * 1000;
const MAX_TRIES = 8;
/** Room and consent come when a person does something, so they are never given up. To look for consent costs nothing. */
const ROOM_AGAIN_MS = 30 * 60_000;
const CONSENT_AGAIN_MS = 15_000;
const MAX_WHY_CHARS = 500;

/** What fails again however often it is tried. */
const LASTING: ReadonlySet<ErrorCode | 'consent'> = new Set([
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
  /** Those that gave something, however it ended. */
  readonly from: readonly PullGiver[];
}

export interface AfterAttempt {
  readonly progress: RuleProgress;
  /** What to tell the owner: each thing once, however often it happens. */
  readonly audit?: AuditEntry | undefined;
}

/** What a rule knows after an attempt. */
export function afterAttempt(before: RuleProgress, attempt: Attempt, now: Date): AfterAttempt {
  const { model, end } = attempt;
  const name = nameOf(model);
  const { fetching: _, ...kept } = before;
  const audit = (what: string): AuditEntry => auditOf(attempt, what);
  switch (end.type) {
    case 'stopped':
      return { progress: kept };
    case 'already_there':
      return { progress: withDone(kept, attempt, now, { outcome: 'fetched', why: 'it was here' }) };
    case 'fetched':
      return {
        progress: withDone(kept, attempt, now, { outcome: 'fetched' }),
        audit: audit(`fetched ${name}${sourceText(attempt.from)}`),
      };
    case 'is_over': {
      const why =
        end.why === 'time' ? 'the time of its rule is over, and it goes on next time' : 'its rule was removed';
      return { progress: kept, audit: audit(`stopped fetching ${name}: ${why}`) };
    }
    case 'failed':
      return afterFailure(kept, attempt, now, told(end.error));
  }
}

/** An error as a rule keeps it. */
interface Told {
  readonly code: ErrorCode | 'consent';
  readonly message: string;
}

function afterFailure(before: RuleProgress, attempt: Attempt, now: Date, { code, message }: Told): AfterAttempt {
  const name = nameOf(attempt.model);
  const over = (outcome: DoneModel['outcome'], what: string): AfterAttempt => ({
    progress: withDone(before, attempt, now, { outcome, why: message }),
    audit: auditOf(attempt, what),
  });
  if (code === 'cancelled') return over('cancelled', `stopped fetching ${name}: a person cancelled it`);
  if (LASTING.has(code)) return over('refused', `will not fetch ${name}: ${message}`);
  const last = before.waiting.find(({ digest }) => digest === attempt.model.digest);
  const tries = (last?.tries ?? 0) + 1;
  const isForPerson = code === 'storage_full' || code === 'consent';
  if (!isForPerson && tries >= MAX_TRIES) return over('gave_up', `gave up fetching ${name}: ${message}`);
  const notBefore = new Date(now.getTime() + waitMs(code, tries)).toISOString();
  const entry = { ...noted(attempt, now), code, why: message.slice(0, MAX_WHY_CHARS), tries, notBefore };
  const progress = { ...before, waiting: [entry, ...without(before, attempt)].slice(0, MAX_PREFETCH_WAITING) };
  const verb = isForPerson ? 'did not fetch' : 'failed to fetch';
  const isNews = last?.code !== code;
  return { progress, audit: isNews ? auditOf(attempt, `${verb} ${name}: ${message}`) : undefined };
}

function waitMs(code: Told['code'], tries: number): number {
  if (code === 'consent') return CONSENT_AGAIN_MS;
  return code === 'storage_full' ? ROOM_AGAIN_MS : Math.min(LONGEST_AGAIN_MS, AGAIN_MS * 2 ** (tries - 1));
}

function withDone(
  before: RuleProgress,
  attempt: Attempt,
  now: Date,
  { outcome, why }: Pick<DoneModel, 'outcome' | 'why'>,
): RuleProgress {
  const entry = { ...noted(attempt, now), outcome, why: why?.slice(0, MAX_WHY_CHARS) };
  return { ...before, done: [entry, ...before.done].slice(0, MAX_PREFETCH_DONE), waiting: without(before, attempt) };
}

function without({ waiting }: RuleProgress, { model }: Attempt): WaitingModel[] {
  return waiting.filter(({ digest }) => digest !== model.digest);
}

function noted({ model }: Attempt, now: Date) {
  return { digest: model.digest, name: nameOf(model).slice(0, 256), at: now.toISOString() };
}

function auditOf({ ruleId, model, from }: Attempt, what: string): AuditEntry {
  const bytes = from.length === 0 ? undefined : from.reduce((sum, giver) => sum + giver.bytes, 0);
  return { event: 'prefetch', about: model.digest, bytes, what, by: `prefetch rule ${ruleId}`, nodes: nodesOf(from) };
}

/** A list has no room for all that a command says about consent and room. */
function told(error: ModelRtcError): Told {
  const { code, message, details = {} } = error;
  if (isNoConsent(error)) {
    const nodes = details.nodes as readonly { readonly key: string; readonly name: string }[];
    return { code: 'consent', message: `it needs consent for ${consentNames(nodes)}: ${consentCommand(nodes)}` };
  }
  if (details.setting !== 'storage.cap') return { code, message };
  const [needed, cap] = [Number(details.neededBytes), Number(details.capBytes)];
  return {
    code,
    message: `there is no room for ${formatBytes(needed)} below storage.cap, which is ${formatBytes(cap)}; a prefetch removes no other model`,
  };
}

export function nameOf({ model, names }: MeshModelHolders): string {
  return model.alias ?? names[0] ?? model.name;
}
