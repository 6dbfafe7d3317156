import { ModelRtcError } from '../../src/index.ts';

/** The error that the action throws. A test fails here when it throws none, or one that is no ModelRtcError. */
export function failureOf(action: () => unknown): ModelRtcError {
  let result: unknown;
  try {
    result = action();
  } catch (thrown) {
    if (thrown instanceof ModelRtcError) return thrown;
    throw new Error(`a ${String(thrown)} was thrown that is no ModelRtcError`, { cause: thrown });
  }
  throw new Error(`nothing was thrown, the result is ${JSON.stringify(result)}`);
}

/** The value, or undefined when a ModelRtcError is thrown; anything else that is thrown goes on. */
export function orRefused<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (thrown) {
    if (thrown instanceof ModelRtcError) return undefined;
    throw thrown;
  }
}
