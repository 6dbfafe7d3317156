export {
  AUDIT_EVENTS,
  type AuditEntry,
  type AuditEvent,
  type AuditRecord,
  noteDecisions,
  readDecisions,
} from './audit.ts';
export { noConsentEntry, type PullOutcome, pullEntry } from './audit-entries.ts';
export { type ConsentAnswer, type ConsentOptions, consentDecisions, decideConsent } from './consents.ts';
export { OccasionalNotes } from './occasional-notes.ts';
export {
  type ConsentedMesh,
  consentCommand,
  consentNames,
  isNoConsent,
  needsConsent,
  noConsentError,
  withConsent,
} from './with-consent.ts';
