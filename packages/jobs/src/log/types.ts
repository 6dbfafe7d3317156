import type { JobEvent } from '@model-rtc/protocol';

/** An event before it has its number and time. */
export type NewEvent = JobEvent extends infer Event
  ? Event extends JobEvent
    ? Omit<Event, 'number' | 'at'>
    : never
  : never;
