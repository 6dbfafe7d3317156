/** What each error code means to a program: the command's exit code, and whether trying again may help. */
interface CodeMeaning {
  readonly exitCode: number;
  readonly retryable: boolean;
}

/** The closed set of error codes, as they cross the wire and as `--json` prints them. */
export const ERROR_CODES = {
  unexpected: { exitCode: 1, retryable: false },
  bad_argument: { exitCode: 2, retryable: false },
  ambiguous: { exitCode: 2, retryable: false },
  not_found: { exitCode: 3, retryable: false },
  not_found_locally: { exitCode: 4, retryable: false },
  network: { exitCode: 5, retryable: true },
  worker_offline: { exitCode: 5, retryable: true },
  protocol_mismatch: { exitCode: 5, retryable: false },
  malformed_message: { exitCode: 5, retryable: false },
  verification_failed: { exitCode: 6, retryable: false },
  source_changed: { exitCode: 6, retryable: true },
  invalid_model: { exitCode: 6, retryable: false },
  storage: { exitCode: 7, retryable: false },
  storage_full: { exitCode: 7, retryable: false },
  refused: { exitCode: 8, retryable: false },
  alias_taken: { exitCode: 8, retryable: false },
  token_expired: { exitCode: 8, retryable: false },
  token_revoked: { exitCode: 8, retryable: false },
  scope_missing: { exitCode: 8, retryable: false },
  busy: { exitCode: 9, retryable: true },
  timeout: { exitCode: 9, retryable: true },
  cancelled: { exitCode: 130, retryable: false },
} as const satisfies Record<string, CodeMeaning>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error as plain data: what crosses the wire and what `--json` prints. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export interface ModelRtcErrorOptions {
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Every failure that a user can meet. The message is one sentence that says what happened and what to do.
 */
export class ModelRtcError extends Error {
  override readonly name = 'ModelRtcError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: ModelRtcErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details;
  }

  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode;
  }

  /** Whether the same action may succeed when it is tried again. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  toData(): ErrorData {
    const { code, message, details } = this;
    return details === undefined ? { code, message } : { code, message, details };
  }

  static fromData(data: {
    code: string;
    message: string;
    details?: Readonly<Record<string, unknown>> | undefined;
  }): ModelRtcError {
    return new ModelRtcError(isErrorCode(data.code) ? data.code : 'unexpected', data.message, {
      details: data.details,
    });
  }

  /** An error that another one led to. */
  static because(cause: unknown, code: ErrorCode, message: string): ModelRtcError {
    return new ModelRtcError(code, message, { cause });
  }

  /**
   * Any thrown value as a ModelRtcError. System errors keep their meaning (ENOSPC is `storage_full`, EACCES `storage`);
   * they are told by their `code`, since errors of another realm are not `instanceof Error`.
   */
  static from(thrown: unknown): ModelRtcError {
    if (thrown instanceof ModelRtcError) return thrown;
    const { name, code, message } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Record<
      string,
      unknown
    >;
    if (name === 'ModelRtcError' && typeof code === 'string' && isErrorCode(code)) {
      return new ModelRtcError(code, String(message), { cause: thrown });
    }
    if (name === 'AbortError') return new ModelRtcError('cancelled', 'Cancelled.', { cause: thrown });
    const systemCode = typeof code === 'string' && Object.hasOwn(SYSTEM_ERRORS, code) ? SYSTEM_ERRORS[code] : undefined;
    const text = typeof message === 'string' && message !== '' ? message : String(thrown);
    return new ModelRtcError(systemCode ?? 'unexpected', text, { cause: thrown });
  }
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

const SYSTEM_ERRORS: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'storage_full',
  EDQUOT: 'storage_full',
  EFBIG: 'storage_full',
  EACCES: 'storage',
  EPERM: 'storage',
  EROFS: 'storage',
  EIO: 'storage',
  EMFILE: 'storage',
  ENAMETOOLONG: 'storage',
  ECONNREFUSED: 'network',
  ECONNRESET: 'network',
  ENOTFOUND: 'network',
  EAI_AGAIN: 'network',
  EHOSTUNREACH: 'network',
  ENETUNREACH: 'network',
  ETIMEDOUT: 'network',
  EPIPE: 'network',
};
