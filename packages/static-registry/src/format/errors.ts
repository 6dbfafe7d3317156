import { type ErrorCode, ModelRtcError } from '@model-rtc/protocol';

/** What was wrong, for programs: `details.problem` of the error. */
export type RegistryProblem =
  | 'group_not_found'
  | 'model_not_found'
  | 'version_not_found'
  | 'registry_not_found'
  | 'registry_invalid'
  | 'manifest_invalid'
  | 'hash_mismatch'
  /** The list is not signed by a trusted key, or its signatures cannot be read. */
  | 'signature_missing'
  | 'signature_invalid'
  /** The list is older than one that was seen, or another one with the same number. */
  | 'list_rolled_back';

const CODES: Readonly<Record<RegistryProblem, ErrorCode>> = {
  group_not_found: 'not_found',
  model_not_found: 'not_found',
  version_not_found: 'not_found',
  registry_not_found: 'not_found',
  registry_invalid: 'invalid_model',
  manifest_invalid: 'invalid_model',
  hash_mismatch: 'verification_failed',
  signature_missing: 'verification_failed',
  signature_invalid: 'verification_failed',
  list_rolled_back: 'verification_failed',
};

/** An error of a static registry. */
export function registryError(
  problem: RegistryProblem,
  message: string,
  details: object = {},
  cause?: unknown,
): ModelRtcError {
  return new ModelRtcError(CODES[problem], message, { cause, details: { problem, ...details } });
}
