import { type ErrorCode, type ErrorData, ModelRtcError, packValue } from '@model-rtc/protocol';
import { MAX_ERROR_DETAILS_BYTES, MAX_ERROR_MESSAGE_CHARS } from './limits.ts';

/** What others see of a system error (a full disk, a permission): its own text names paths of this machine. */
const NEUTRAL: Partial<Record<ErrorCode, string>> = {
  storage_full: 'The disk of the other side is full; free some space there and try again.',
  storage: 'The other side could not read or write its files; see its log.',
  network: 'The other side lost a connection of its own that it needs for this; try again.',
  cancelled: 'The other side cancelled this.',
};
const NEUTRAL_UNEXPECTED = 'The other side failed unexpectedly; see its log.';

/**
 * An error as the other side may see it. Errors made on purpose cross as they are; of others only the code
 * does: no stacks, and no paths of this machine.
 */
export function toWireError(thrown: unknown): ErrorData {
  const error = ModelRtcError.from(thrown);
  if (!isOnPurpose(error, thrown)) {
    return { code: error.code, message: NEUTRAL[error.code] ?? NEUTRAL_UNEXPECTED };
  }
  const message = error.message.slice(0, MAX_ERROR_MESSAGE_CHARS);
  const { code } = error;
  return isSendable(error.details) ? { code, message, details: error.details } : { code, message };
}

/** A ModelRtcError that merely repeats its cause's text was made by `from`, not on purpose. */
function isOnPurpose(error: ModelRtcError, thrown: unknown): boolean {
  if (error.message === textOf(error.cause)) return nameOf(error.cause) === 'ModelRtcError';
  // What `from` gives a text of its own (an AbortError) was not said by the handler either.
  return error === thrown || nameOf(thrown) === 'ModelRtcError';
}

function textOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'message' in value ? value.message : String(value);
}

function nameOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
}

function isSendable(details: ModelRtcError['details']): boolean {
  if (details === undefined) return false;
  try {
    return packValue(details).length <= MAX_ERROR_DETAILS_BYTES;
  } catch {
    return false;
  }
}
