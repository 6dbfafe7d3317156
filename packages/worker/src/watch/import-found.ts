import { type Log, ModelRtcError, type ModelSource } from '@model-rtc/protocol';
import type { FoundPlace, LeftOut, Registry, TakeOptions } from '@model-rtc/registry';
import { leftOutBecause } from './left-out.ts';
import type { OnWatchEvent } from './types.ts';

/** Reads one model at a time, in whichever folder: two would only wait for the same disk. */
export interface ImportQueue {
  /** The signal aborts when the queue is closed. The work must not fail. */
  add(work: (signal: AbortSignal) => Promise<void>): void;
  /** Aborts the current work, and starts no more. */
  close(): Promise<void>;
}

export function createImportQueue(): ImportQueue {
  const closing = new AbortController();
  let last: Promise<void> = Promise.resolve();
  return {
    add(work) {
      last = last.then(async () => {
        if (!closing.signal.aborted) await work(closing.signal);
      });
    },
    async close() {
      closing.abort();
      await last;
    },
  };
}

export interface ImportFoundOptions {
  readonly registry: Registry;
  readonly log: Log;
  readonly onEvent: OnWatchEvent;
  readonly place: FoundPlace;
  readonly foundIn: string;
  /** The folders that are served, without links. */
  readonly linksWithin: readonly string[];
  readonly inPlaceOf: string | undefined;
  readonly withoutLinks: TakeOptions['withoutLinks'];
  readonly signal: AbortSignal;
}

/** What came of the import of a found model. */
export interface FoundOutcome {
  /** Whether it has to be tried again although its files stay as they are. */
  readonly again: boolean;
  /** Why it is not registered, if that is worth telling. */
  readonly leftOut?: LeftOut | undefined;
}

/** Registers what was found at a place. Never fails. */
export async function importFound(options: ImportFoundOptions): Promise<FoundOutcome> {
  const { registry, log, onEvent, place, foundIn, linksWithin, inPlaceOf, withoutLinks, signal } = options;
  const { path, name } = place;
  try {
    const { entry, outcome } = await registry.takeFound(place, {
      foundIn,
      linksWithin,
      source: sourceOf(place),
      name,
      inPlaceOf,
      withoutLinks,
      signal,
    });
    if (outcome === 'imported') onEvent({ type: 'registered', id: entry.id, alias: entry.alias, path });
    return { again: false };
  } catch (error) {
    if (signal.aborted) return { again: true };
    const known = ModelRtcError.from(error);
    log.info({ path, error }, `what is at ${path} is not registered: ${known.message}`);
    return { again: !known.has('unusable_files'), leftOut: leftOutBecause(path, error) };
  }
}

function sourceOf({ kind }: FoundPlace): ModelSource {
  if (kind === 'run') return 'worker-training';
  return kind === 'snapshot' ? 'hub' : 'local-import';
}
