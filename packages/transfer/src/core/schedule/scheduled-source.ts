import type { Mark, SourceWindow } from './source-window.ts';

/** What the schedule knows about a source. */
export interface ScheduledSource {
  readonly number: number;
  readonly origin: string;
  /** Only these chunks are asked from it, and from no other source while it lives. Undefined: it is asked for any. */
  readonly kept: number[] | undefined;
  /** Chunks that have not arrived whole, in the order of their requests. */
  readonly asked: Map<number, Mark>;
  /** Chunks that came whole and are not verified yet. */
  readonly arrived: Map<number, Mark>;
  /** When it may be asked again for a chunk that it did not have. */
  readonly notBeforeMs: Map<number, number>;
  /** The first chunk to ask it for: it was asked for those before, and did not have some of them. */
  from: number;
  readonly window: SourceWindow;
  /** The memory of its asked and arrived chunks until they are verified. */
  usedBytes: number;
  /** When it last delivered, or was asked while idle. */
  quietSinceMs: number;
}

/** Whether the source said recently that it does not have the chunk. */
export function lacks(source: ScheduledSource, id: number, nowMs: number): boolean {
  const notBeforeMs = source.notBeforeMs.get(id);
  if (notBeforeMs === undefined) return false;
  if (nowMs < notBeforeMs) return true;
  source.notBeforeMs.delete(id);
  return false;
}
