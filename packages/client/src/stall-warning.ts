import type { StallWarning } from '@model-rtc/transfer';
import { GIVE_UP_MS } from './session-link.ts';

/** After so long without data a person is told; a transfer that this side runs says so itself. */
const WARN_AFTER_MS = 30_000;

/** That a push stands still, once that is worth knowing. */
export function stallWarning(quietMs: number): StallWarning | undefined {
  if (quietMs < WARN_AFTER_MS) return undefined;
  const message = `Nothing arrived at the worker for ${Math.round(quietMs / 1000)} s; the transfer is given up after ${GIVE_UP_MS / 1000} s.`;
  return { kind: 'stalled', quietMs, message };
}
