/** How far a training run is. */
export type RunStatus = 'training' | 'interrupted' | 'failed';

/** A change that a watch made in the registry. */
export type WatchEvent =
  | { readonly type: 'registered'; readonly id: string; readonly alias: string | undefined; readonly path: string }
  | {
      readonly type: 'run';
      readonly id: string;
      readonly alias: string | undefined;
      readonly path: string;
      readonly status: RunStatus;
    }
  | {
      /** Once for each folder: all that lay in it at the start was looked at. */
      readonly type: 'looked';
      readonly folder: string;
      readonly models: number;
      readonly leftOut: number;
      /** Places that are still being hashed or written. */
      readonly open: number;
    }
  | { readonly type: 'forgotten'; readonly id: string; readonly alias: string | undefined; readonly path: string };

export type OnWatchEvent = (event: WatchEvent) => void;

/** The waits of a watch. Tests use shorter ones. */
export interface WatchTiming {
  /** A model whose files stay the same for this long is whole: no tool pauses longer between two files that it writes. */
  readonly stableMs: number;
  /** One whose files have not changed for this long is whole at the first look. Clocks of file servers are off by less. */
  readonly oldMs: number;
  /** A copy or download that pauses for this long is told of as incomplete. */
  readonly pausedMs: number;
  /** After an event, so that one look takes in what comes together. */
  readonly hintMs: number;
  /** Between the end of a look and the next; a busy training writes many times a second. */
  readonly gapMs: number;
  /** Between two looks at everything. On a file system without events nothing else finds a change. */
  readonly pollMs: number;
  /** Between two updates of a run's metrics: each writes the registry's index. */
  readonly recordMs: number;
  /** A model that is gone for this long is not just being moved or replaced. */
  readonly goneMs: number;
}

export const WATCH_TIMING: WatchTiming = {
  stableMs: 2_000,
  oldMs: 60_000,
  pausedMs: 30_000,
  hintMs: 200,
  gapMs: 1_000,
  pollMs: 20_000,
  recordMs: 5_000,
  goneMs: 5_000,
};

/** How long a training may write nothing before it counts as interrupted: epochs may take minutes. */
export const INTERRUPTED_AFTER_MS = 10 * 60 * 1000;
