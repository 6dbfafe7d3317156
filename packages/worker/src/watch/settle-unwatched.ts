import { type Log, ModelRtcError } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { decide, remember } from './decide.ts';
import type { WatchTiming } from './types.ts';

export interface SettleOptions {
  readonly registry: Registry;
  /** The real paths of watched folders, whose runs are up to date anyway. */
  readonly watched: readonly string[];
  readonly interruptedAfterMs: number;
  readonly timing: WatchTiming;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Looks once at the runs that an earlier worker found in folders that are no longer watched, so that none is shown as
 * training forever.
 */
export async function settleUnwatched(options: SettleOptions): Promise<void> {
  const { registry, watched, log } = options;
  for (const entry of await registry.listFound()) {
    if (entry.digest !== undefined || watched.includes(entry.foundIn ?? '')) continue;
    try {
      await settle(entry, options);
    } catch (error) {
      const { message } = ModelRtcError.from(error);
      log.info({ id: entry.id, error }, `the run ${entry.alias ?? entry.id} cannot be looked at: ${message}`);
    }
  }
}

async function settle(entry: RegistryEntry, options: SettleOptions): Promise<void> {
  const { registry, now, timing, interruptedAfterMs } = options;
  const { originalPath: path, foundIn, status } = entry;
  if (path === undefined) return;
  const place = { kind: 'run', path } as const;
  const state = await registry.lookAt(place);
  const nowMs = now();
  const { action } = decide(place, state, remember(undefined, state, nowMs), { nowMs, timing, interruptedAfterMs });
  // A finished run becomes a model when its folder is watched again, or when it is imported.
  if (action !== undefined && action !== 'take' && action !== status) {
    await registry.recordRun({ path, status: action, foundIn });
  }
}
