import { MODEL_READ_LIMITS, type ReadLimits } from '../limits.ts';
import type { Expense, ReadBudget } from '../types.ts';

type Limit = Expense | 'workMs';

const REASONS: Readonly<Record<Limit, (limit: number) => string>> = {
  opcodes: (limit) => `the pickles of the model have more than ${limit} steps`,
  bytes: (limit) => `the model unpacks into more than ${limit} bytes`,
  parts: (limit) => `the model has more than ${limit} files and pickles within its files`,
  workMs: (limit) => `looking into the model takes more than ${limit / 1000} s`,
};

/** Reading into a model would cost more than its budget allows. The message is the end of a sentence. */
export class OverBudgetError extends Error {
  override readonly name = 'OverBudgetError';
}

/** @param now milliseconds that only ever grow; without a clock, time is not counted */
export function createReadBudget(limits: ReadLimits = MODEL_READ_LIMITS, now: () => number = () => 0): ReadBudget {
  const left: Record<Expense, number> = { opcodes: limits.opcodes, bytes: limits.bytes, parts: limits.parts };
  let startedMs = now();
  let reason: string | undefined;
  const end = (limit: Limit): never => {
    reason = REASONS[limit](limits[limit]);
    throw new OverBudgetError(reason);
  };
  const checkTime = () => {
    if (reason !== undefined) throw new OverBudgetError(reason);
    if (now() - startedMs > limits.workMs) end('workMs');
  };
  return {
    get isSpent() {
      return reason !== undefined;
    },
    get bytesLeft() {
      return reason === undefined ? left.bytes : 0;
    },
    spend(expense, count = 1) {
      checkTime();
      left[expense] -= count;
      if (left[expense] < 0) end(expense);
    },
    checkTime,
    excuseReads: (reader) => ({
      size: reader.size,
      async read(offset, length) {
        const beganMs = now();
        try {
          return await reader.read(offset, length);
        } finally {
          startedMs += now() - beganMs;
        }
      },
    }),
  };
}
