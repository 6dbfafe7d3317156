export {
  AUDIT_EVENTS,
  type AuditEntry,
  type AuditEvent,
  type AuditRecord,
  noteDecisions,
  readDecisions,
} from './audit.ts';
