import { explainSystemError } from '@model-rtc/files';
import { type ErrorCode, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryProblem } from '@model-rtc/static-registry';

/** What went wrong, for programs. */
export type ModelErrorKind =
  /** The registry has no such group or model. */
  | 'model_not_found'
  | 'version_not_found'
  /** Not on this machine. */
  | 'not_installed'
  /** `pull` without `force` of a version that is here and whole. */
  | 'already_installed'
  /** Bytes of the registry are not those that their name says. */
  | 'hash_mismatch'
  /** The registry or a worker cannot be reached, is busy, or did not answer in time. */
  | 'network'
  /** The disk is full, or a folder cannot be used. */
  | 'storage'
  /** A name or an option is not valid. */
  | 'invalid_reference'
  /** There is no registry at the address, or its list or a manifest breaks the format. */
  | 'registry_invalid'
  /** No pinned key signed the registry's list, or the list is older than one that was seen. */
  | 'untrusted'
  /** Another process is at the same model, for longer than this one waits. */
  | 'busy'
  /** The registry or a worker does not allow it, or the model may not go. */
  | 'refused'
  | 'cancelled'
  | 'unexpected';

/** Every failure of a `ModelManager`. Its `code` and `exitCode` are those of the command line. */
export class ModelManagerError extends ModelRtcError {
  readonly kind: ModelErrorKind;

  constructor(
    kind: ModelErrorKind,
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly details?: Readonly<Record<string, unknown>> | undefined } = {},
  ) {
    super(code, message, { ...options, details: { ...options.details, kind } });
    this.kind = kind;
  }
}

/** Whether an error is of one of these kinds. */
export function isModelError(error: unknown, ...kinds: readonly ModelErrorKind[]): error is ModelManagerError {
  return error instanceof ModelManagerError && (kinds.length === 0 || kinds.includes(error.kind));
}

const BY_PROBLEM: Readonly<Record<RegistryProblem, ModelErrorKind>> = {
  group_not_found: 'model_not_found',
  model_not_found: 'model_not_found',
  version_not_found: 'version_not_found',
  registry_not_found: 'registry_invalid',
  registry_invalid: 'registry_invalid',
  manifest_invalid: 'registry_invalid',
  hash_mismatch: 'hash_mismatch',
  signature_missing: 'untrusted',
  signature_invalid: 'untrusted',
  list_rolled_back: 'untrusted',
};

const BY_CODE: Readonly<Record<ErrorCode, ModelErrorKind>> = {
  unexpected: 'unexpected',
  bad_argument: 'invalid_reference',
  ambiguous: 'invalid_reference',
  not_found: 'model_not_found',
  not_found_locally: 'not_installed',
  network: 'network',
  worker_offline: 'network',
  protocol_mismatch: 'network',
  malformed_message: 'network',
  verification_failed: 'hash_mismatch',
  source_changed: 'hash_mismatch',
  invalid_model: 'registry_invalid',
  storage: 'storage',
  storage_full: 'storage',
  refused: 'refused',
  alias_taken: 'refused',
  token_expired: 'refused',
  token_revoked: 'refused',
  scope_missing: 'refused',
  busy: 'busy',
  timeout: 'network',
  cancelled: 'cancelled',
};

/** Any failure as a typed one. */
export function asModelError(thrown: unknown): ModelManagerError {
  if (thrown instanceof ModelManagerError) return thrown;
  const known = explainSystemError(ModelRtcError.from(thrown));
  const { code, message, details } = known;
  const problem = details?.problem;
  const kind =
    typeof problem === 'string' && Object.hasOwn(BY_PROBLEM, problem) ? (problem as RegistryProblem) : undefined;
  return new ModelManagerError(kind === undefined ? BY_CODE[code] : BY_PROBLEM[kind], code, message, {
    cause: thrown,
    details,
  });
}

export function notInstalled(name: string, hint: string): ModelManagerError {
  return new ModelManagerError('not_installed', 'not_found_locally', `${name} is not installed. ${hint}`, {
    details: { name },
  });
}
