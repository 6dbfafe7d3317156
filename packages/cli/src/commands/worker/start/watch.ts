import { INTERRUPTED_AFTER_MS, type WatchEvent, type WorkerOptions } from '@model-rtc/worker';
import type { Context } from '../../../console/context.ts';
import { printable } from '../../../console/format.ts';
import { parseDuration } from '../../../console/quantities.ts';

export interface WatchFlags {
  readonly watch: readonly string[];
  readonly readOnlyStore: readonly string[];
  readonly interruptedAfter?: string | undefined;
}

/** What a worker is told to watch, and how it tells what it found. */
export function watchOptions({ output }: Context, flags: WatchFlags): NonNullable<WorkerOptions['watch']> {
  const { interruptedAfter } = flags;
  return {
    folders: [...flags.watch, ...flags.readOnlyStore],
    interruptedAfterMs:
      interruptedAfter === undefined ? INTERRUPTED_AFTER_MS : parseDuration(interruptedAfter, '--interrupted-after'),
    onEvent: (event) => output.note(printable(sentenceOf(event))),
  };
}

function sentenceOf(event: WatchEvent): string {
  const name = event.alias === undefined ? event.id : `${event.alias} (${event.id})`;
  if (event.type === 'registered') return `Found ${name} at ${event.path}`;
  if (event.type === 'forgotten') return `${name} is gone from ${event.path}`;
  return `${name} at ${event.path}: ${event.status}`;
}
