import type { FoundPlace, PlaceState } from '@model-rtc/registry';
import type { RunStatus, WatchTiming } from './types.ts';

/** What the watch remembers about a place between two looks. */
export interface Remembered {
  readonly fingerprint: string | undefined;
  /** When the fingerprint was seen first, by this machine's clock. */
  readonly sinceMs: number;
  /** The last action, and the files that it was done with. */
  readonly done?:
    | { readonly action: Action; readonly fingerprint: string | undefined; readonly atMs: number }
    | undefined;
}

export type Action = 'take' | RunStatus;

/** What to do with a place now, and when to look again if nothing happens until then. */
export interface Decision {
  readonly action?: Action | undefined;
  readonly lookAgainInMs?: number | undefined;
}

export interface DecideOptions {
  readonly nowMs: number;
  readonly timing: WatchTiming;
  readonly interruptedAfterMs: number;
}

/** Updates what is remembered with what is seen now. */
export function remember(before: Remembered | undefined, { fingerprint }: PlaceState, nowMs: number): Remembered {
  if (before !== undefined && before.fingerprint === fingerprint) return before;
  return { fingerprint, sinceMs: nowMs, done: before?.done };
}

/** Decides only from what is seen. Never repeats an action with the same files. */
export function decide(place: FoundPlace, state: PlaceState, remembered: Remembered, options: DecideOptions): Decision {
  if (state.fingerprint === undefined) return {};
  const decision =
    place.kind === 'run' ? decideRun(state, remembered, options) : decideModel(state, remembered, options);
  return withoutRepeats(decision, remembered, options);
}

function decideModel(state: PlaceState, remembered: Remembered, options: DecideOptions): Decision {
  // Missing files come with an event, or are found at the next full look.
  if (!state.hasWeights) return {};
  // An import of a model without some of its parts is refused with the names of those.
  const waitMs = state.isPartial ? pausedInMs(state, remembered, options) : stableInMs(state, remembered, options);
  return waitMs > 0 ? { lookAgainInMs: waitMs } : { action: 'take' };
}

function decideRun(state: PlaceState, remembered: Remembered, options: DecideOptions): Decision {
  const { progress, hasWeights } = state;
  const isWhole = hasWeights && (progress === 'finished' || progress === 'unknown');
  if (isWhole) return decideModel(state, remembered, options);
  // Its own log says that it is over, unless it is started again.
  const waitMs =
    progress === 'failed'
      ? stableInMs(state, remembered, options)
      : options.interruptedAfterMs - quietForMs(state, remembered, options);
  if (waitMs > 0) return { action: 'training', lookAgainInMs: waitMs };
  // A finished run without weights left nothing to use or resume.
  return { action: progress === 'unfinished' || progress === 'unknown' ? 'interrupted' : 'failed' };
}

/** How long no file was written, by either clock: a file's time may be in the future. */
function quietForMs({ writtenAtMs }: PlaceState, { sinceMs }: Remembered, { nowMs }: DecideOptions): number {
  return Math.max(nowMs - writtenAtMs, nowMs - sinceMs);
}

/** Until the files have stayed as they are for long enough; zero or less when they have. */
function stableInMs({ touchedAtMs }: PlaceState, { sinceMs }: Remembered, { nowMs, timing }: DecideOptions): number {
  return Math.min(sinceMs + timing.stableMs - nowMs, touchedAtMs + timing.oldMs - nowMs);
}

/** Until it looks as if nobody were writing the files any more; zero or less when it does. */
export function pausedInMs(
  { touchedAtMs }: Pick<PlaceState, 'touchedAtMs'>,
  { sinceMs }: Remembered,
  { nowMs, timing }: Pick<DecideOptions, 'nowMs' | 'timing'>,
): number {
  return Math.min(sinceMs, touchedAtMs) + timing.pausedMs - nowMs;
}

function withoutRepeats(decision: Decision, { done, fingerprint }: Remembered, options: DecideOptions): Decision {
  const { action, lookAgainInMs } = decision;
  if (done === undefined || action === undefined || done.action !== action) return decision;
  if (done.fingerprint === fingerprint) return { lookAgainInMs };
  const waitMs = done.atMs + options.timing.recordMs - options.nowMs;
  if (action === 'take' || waitMs <= 0) return decision;
  return { lookAgainInMs: Math.min(waitMs, lookAgainInMs ?? waitMs) };
}
