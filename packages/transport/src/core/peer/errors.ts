import { METHODS, type Method, ModelRtcError, schemaErrorCode, schemaProblem } from '@model-rtc/protocol';

/** What waiting work throws when the peer has ended; each has an error of its own, so that stacks are not mixed up. */
export function peerEndedError(why: ModelRtcError | undefined): ModelRtcError {
  if (why === undefined) {
    return new ModelRtcError('network', 'The connection to the other side was closed; connect again.');
  }
  return new ModelRtcError(why.code, why.message, { cause: why, details: why.details });
}

/** What came from the other side makes no sense. */
export function notUnderstoodError(cause: ModelRtcError): ModelRtcError {
  const problem = problemOf(cause);
  return new ModelRtcError(
    'malformed_message',
    `The other side sent what this version does not understand (${problem}). Run the same version of model-rtc on both sides.`,
    { cause, details: { problem } },
  );
}

/** The same error as the other side is told it: there, what makes no sense is its own message. */
export function toldError(error: ModelRtcError): ModelRtcError {
  if (error.code !== 'malformed_message') return error;
  const problem = problemOf(error);
  return new ModelRtcError(
    'malformed_message',
    `The other side does not understand what it was sent (${problem}). Run the same version of model-rtc on both sides.`,
    { cause: error, details: { problem } },
  );
}

/** The rule that was broken, without the sentence around it. */
function problemOf({ message, details }: ModelRtcError): string {
  return typeof details?.problem === 'string' ? details.problem : message;
}

/** @param takes what the receiver takes, in bytes. */
export function tooLongError(bytes: number, takes: number): ModelRtcError {
  return new ModelRtcError(
    'bad_argument',
    `The model is too large for the other side: its description has ${bytes} bytes, and the other side accepts ${takes}. Split the model, or upgrade model-rtc on the other side.`,
    { details: { bytes, takes } },
  );
}

/** An answer breaks the schema of its method. */
export function badResultError(method: Method, cause: Parameters<typeof schemaProblem>[0]): ModelRtcError {
  const sentences = {
    malformed_message: `The other side's answer to "${method}" is not what this version understands; run the same version of model-rtc on both sides.`,
    invalid_model: `The other side's list of the model's files is not valid (${schemaProblem(cause).slice(0, 500)}); nothing was stored. Get the model from another source.`,
  } as const;
  const { badResult } = METHODS[method];
  return new ModelRtcError(badResult, sentences[badResult], { cause });
}

/**
 * The parameters as their schema has them.
 * @param refusal - the beginning of the sentence that says what is refused
 * @throws ModelRtcError `bad_argument`; `invalid_model` for a manifest of no model
 */
export function checkedParams(method: Method, params: unknown, refusal: string): unknown {
  const parsed = METHODS[method].params.safeParse(params);
  if (parsed.success) return parsed.data;
  const sentence = `${refusal}: ${schemaProblem(parsed.error, 'parameters')}.`;
  throw new ModelRtcError(schemaErrorCode(parsed.error, 'bad_argument'), sentence, { cause: parsed.error });
}
