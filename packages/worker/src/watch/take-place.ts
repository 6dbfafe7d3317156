import { type Log, ModelRtcError, type ModelSource } from '@model-rtc/protocol';
import type { FoundPlace, Registry } from '@model-rtc/registry';
import type { OnWatchEvent } from './watch-events.ts';

export interface TakePlaceOptions {
  readonly registry: Registry;
  readonly log: Log;
  readonly onEvent: OnWatchEvent;
  readonly place: FoundPlace;
  readonly foundIn: string;
  readonly inPlaceOf: string | undefined;
  readonly signal: AbortSignal;
}

/** Registers what was found at a place; `later` when it cannot be done now. Never fails. */
export async function takePlace(options: TakePlaceOptions): Promise<'done' | 'later'> {
  const { registry, log, onEvent, place, foundIn, inPlaceOf, signal } = options;
  const { path, name } = place;
  try {
    const { entry, outcome } = await registry.takeFound(place, {
      foundIn,
      source: sourceOf(place),
      name,
      inPlaceOf,
      signal,
    });
    if (outcome === 'imported') onEvent({ type: 'registered', id: entry.id, alias: entry.alias, path });
    return 'done';
  } catch (error) {
    if (signal.aborted) return 'later';
    const known = ModelRtcError.from(error);
    const { message } = known;
    const isFinal = known.has('unusable_files');
    if (isFinal) log.warn({ path, error }, `what is at ${path} is not registered: ${message}`);
    else log.info({ path, error }, `what is at ${path} is not registered yet: ${message}`);
    return isFinal ? 'done' : 'later';
  }
}

function sourceOf({ kind }: FoundPlace): ModelSource {
  if (kind === 'run') return 'worker-training';
  return kind === 'snapshot' ? 'hub' : 'local-import';
}
