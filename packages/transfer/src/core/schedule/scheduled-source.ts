import type { Mark, SourceWindow } from './source-window.ts';

/** What the schedule knows of one source. */
export interface ScheduledSource {
  readonly number: number;
  readonly origin: string;
  /** Such a source is asked for these chunks only, and no other is while it lives. */
  readonly kept: number[] | undefined;
  /** Chunks that have not arrived whole, in the order of their requests. */
  readonly asked: Map<number, Mark>;
  /** Chunks that came whole and are not verified yet. */
  readonly arrived: Map<number, Mark>;
  /** When it may be asked again for a chunk that it did not have. */
  readonly notBeforeMs: Map<number, number>;
  /** It is asked for chunks from here on: those before were looked at, and it did not have some of them. */
  from: number;
  readonly window: SourceWindow;
  /** Buffers that its asked and arrived chunks may take until they are verified. */
  usedBytes: number;
  /** When it last delivered, or was asked while it had nothing to do. */
  quietSinceMs: number;
}

/** Whether the source said a moment ago that it does not have the chunk. */
export function lacks(source: ScheduledSource, id: number, nowMs: number): boolean {
  const notBeforeMs = source.notBeforeMs.get(id);
  if (notBeforeMs === undefined) return false;
  if (nowMs < notBeforeMs) return true;
  source.notBeforeMs.delete(id);
  return false;
}
