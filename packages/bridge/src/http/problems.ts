import { type ErrorCode, ModelRtcError } from '@model-rtc/protocol';
import type { HttpProblem } from './types.ts';

/** Errors of this machine name its paths, which nobody else needs to know. */
const OWN_FAILURE = 'This machine could not read the model. Its owner finds the reason in the log of the worker.';

/** The HTTP status of each error, and whether its sentence is told. */
const STATUSES: Readonly<Partial<Record<ErrorCode, readonly [status: number, isTold: boolean]>>> = {
  bad_argument: [400, true],
  ambiguous: [409, true],
  not_found: [404, true],
  not_found_locally: [404, true],
  refused: [403, true],
  scope_missing: [403, true],
  network: [502, true],
  worker_offline: [502, true],
  protocol_mismatch: [502, true],
  verification_failed: [502, true],
  timeout: [504, true],
  busy: [503, true],
  cancelled: [503, true],
  source_changed: [410, false],
  storage_full: [507, false],
};

interface HttpErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer that is not what was asked for. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, { headers = {}, cause }: HttpErrorOptions = {}) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  static because(cause: unknown, status: number, code: string, message: string): HttpError {
    return new HttpError(status, code, message, { cause });
  }
}

export interface KnownProblem extends HttpProblem {
  readonly headers: Readonly<Record<string, string>>;
  /** What only the log may say. */
  readonly cause: ModelRtcError | undefined;
}

/** What an answer says of anything that was thrown. */
export function problemOf(thrown: unknown): KnownProblem {
  if (thrown instanceof HttpError) {
    const { status, code, message, headers } = thrown;
    return { status, code, message, headers, cause: undefined };
  }
  const error = ModelRtcError.from(thrown);
  const [status, isTold] = STATUSES[error.code] ?? [500, false];
  const { retryAfterMs } = error.details ?? {};
  const wait = typeof retryAfterMs === 'number' ? Math.ceil(retryAfterMs / 1000) : 5;
  return {
    status,
    code: error.code,
    message: isTold ? error.message : OWN_FAILURE,
    headers: status === 503 ? { 'retry-after': String(wait) } : {},
    cause: error,
  };
}

export function notFound(message: string): HttpError {
  return new HttpError(404, 'not_found', message);
}

/** @throws HttpError 405 for another method than these */
export function requireMethod(method: string, allowed: readonly string[]): void {
  if (allowed.includes(method)) return;
  const allow = allowed.join(', ');
  throw new HttpError(405, 'bad_argument', `Use ${allow} here.`, { headers: { allow } });
}
