import type { Log } from '@model-rtc/protocol';
import type { RunStatus } from './decide.ts';

/** What a watch did in the registry. */
export type WatchEvent =
  | { readonly type: 'registered'; readonly id: string; readonly alias: string | undefined; readonly path: string }
  | {
      readonly type: 'run';
      readonly id: string;
      readonly alias: string | undefined;
      readonly path: string;
      readonly status: RunStatus;
    }
  | { readonly type: 'forgotten'; readonly id: string; readonly alias: string | undefined; readonly path: string };

export type OnWatchEvent = (event: WatchEvent) => void;

/** Tells the log, too. */
export function loggedEvents(log: Log, onEvent: OnWatchEvent | undefined): OnWatchEvent {
  return (event) => {
    log.info(event, 'a watched folder changed the registry');
    onEvent?.(event);
  };
}
