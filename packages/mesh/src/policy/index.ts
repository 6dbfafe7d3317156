export {
  AUDIT_EVENTS,
  type AuditEntry,
  type AuditEvent,
  type AuditRecord,
  noteDecisions,
  readDecisions,
} from './audit.ts';
export { noConsentEntry, type PullGiver, type PullOutcome, pullEntry } from './audit-entries.ts';
export { type ConsentAnswer, type ConsentOptions, consentDecisions, decideConsent } from './consents.ts';
export { OccasionalNotes } from './occasional-notes.ts';
export {
  addPrefetchRule,
  type ListedRule,
  prefetchRules,
  type RuleProgress,
  removePrefetchRule,
} from './prefetch/prefetch-files.ts';
export { type PrefetchStore, prefetchStore } from './prefetch/prefetch-store.ts';
export { type FetchHow, type PrefetcherOptions, startPrefetching } from './prefetch/prefetcher.ts';
export { DEFAULT_MAX_MODELS, MOST_MAX_MODELS, type PrefetchRule, wantsModel } from './prefetch/rule.ts';
export { parseBetween, parseDays, scheduleAt } from './prefetch/schedule.ts';
export {
  type ConsentedMesh,
  consentCommand,
  consentNames,
  isNoConsent,
  needsConsent,
  noConsentError,
  withConsent,
} from './with-consent.ts';
