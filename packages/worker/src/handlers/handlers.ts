import { type Log, type ModelEntry, modelEntrySchema } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { FreshModels } from './fresh-models.ts';

/** What the handlers of a worker work on. */
export interface WorkerServices {
  readonly registry: Registry;
  readonly fresh: FreshModels;
  readonly log: Log;
}

/** The part of a registry's entry that other agents are told: no path of this machine is in it. */
export function sharedEntry(entry: ModelEntry): ModelEntry {
  return modelEntrySchema.parse(entry);
}
