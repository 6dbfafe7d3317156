/**
 * What may fix an error without the user:
 * - `reconnect`: another connection, or another lane of the same peer
 * - `wait`: the worker is away; connecting works again once it is back
 * - `back_off`: the other side is overloaded; the same request works later
 * - `restart`: the model changed; begin again with what it is now
 * - `stopped`: it was stopped on purpose; nothing is broken
 * - `none`: the same action fails again
 */
export type Recovery = 'reconnect' | 'wait' | 'back_off' | 'restart' | 'stopped' | 'none';

/**
 * What else an error means:
 * - `ends_session`: the token is no longer good, so its connections are closed
 * - `unusable_files`: these files cannot be registered as they are; look again when they change
 * - `no_model`: nothing at the path is a model
 * - `unreadable_here`: the machine that serves a model cannot read it any more
 */
export type ErrorTrait = 'ends_session' | 'unusable_files' | 'no_model' | 'unreadable_here';

/** What each error code means to a program: the command's exit code, and what a caller may do about it. */
interface CodeMeaning {
  readonly exitCode: number;
  readonly recovery: Recovery;
  readonly traits?: readonly ErrorTrait[];
}

/** The closed set of error codes, as they cross the wire and as `--json` prints them. */
export const ERROR_CODES = {
  unexpected: { exitCode: 1, recovery: 'none' },
  bad_argument: { exitCode: 2, recovery: 'none', traits: ['unusable_files', 'no_model'] },
  ambiguous: { exitCode: 2, recovery: 'none' },
  not_found: { exitCode: 3, recovery: 'none' },
  not_found_locally: { exitCode: 4, recovery: 'none', traits: ['no_model', 'unreadable_here'] },
  network: { exitCode: 5, recovery: 'reconnect' },
  worker_offline: { exitCode: 5, recovery: 'wait' },
  protocol_mismatch: { exitCode: 5, recovery: 'none' },
  malformed_message: { exitCode: 5, recovery: 'none' },
  verification_failed: { exitCode: 6, recovery: 'none' },
  source_changed: { exitCode: 6, recovery: 'restart', traits: ['unreadable_here'] },
  invalid_model: { exitCode: 6, recovery: 'none', traits: ['unusable_files', 'no_model'] },
  storage: { exitCode: 7, recovery: 'none', traits: ['unreadable_here'] },
  storage_full: { exitCode: 7, recovery: 'none' },
  refused: { exitCode: 8, recovery: 'none', traits: ['ends_session', 'unusable_files'] },
  alias_taken: { exitCode: 8, recovery: 'none' },
  token_expired: { exitCode: 8, recovery: 'none', traits: ['ends_session'] },
  token_revoked: { exitCode: 8, recovery: 'none', traits: ['ends_session'] },
  scope_missing: { exitCode: 8, recovery: 'none' },
  busy: { exitCode: 9, recovery: 'back_off' },
  timeout: { exitCode: 9, recovery: 'reconnect' },
  cancelled: { exitCode: 130, recovery: 'stopped' },
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

  /** Whether one of these may mend it. */
  recoversBy(...ways: readonly Exclude<Recovery, 'none'>[]): boolean {
    const recovery: Recovery = ERROR_CODES[this.code].recovery;
    return recovery !== 'none' && ways.includes(recovery);
  }

  has(trait: ErrorTrait): boolean {
    const { traits = [] }: CodeMeaning = ERROR_CODES[this.code];
    return traits.includes(trait);
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
  EFBIG: 'storage',
  EACCES: 'storage',
  EPERM: 'storage',
  EROFS: 'storage',
  EIO: 'storage',
  EMFILE: 'storage',
  ENFILE: 'storage',
  ESTALE: 'storage',
  ENOTDIR: 'storage',
  EISDIR: 'storage',
  ELOOP: 'storage',
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

/** What a promise gives; undefined where it fails with one of these codes. @throws ModelRtcError for any other failure */
export async function unlessFails<T>(work: Promise<T>, ...codes: readonly ErrorCode[]): Promise<T | undefined> {
  return await work.catch((thrown: unknown) => {
    const error = ModelRtcError.from(thrown);
    if (codes.includes(error.code)) return undefined;
    throw error;
  });
}
