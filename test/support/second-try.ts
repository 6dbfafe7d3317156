import { jest } from '@jest/globals';

// docs/decisions/second-try.md says why, and where each first failure is printed.
jest.retryTimes(1, { logErrorsBeforeRetry: true });
