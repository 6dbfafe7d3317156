import type { Clock } from '@model-rtc/protocol';
import type { RecordCache } from './record-cache.ts';

/** How often it is done. */
const TIDY_MS = 60_000;

/** Catalogs change all the time, and their old parts must not fill the disk. @returns what to call often, with those that have parts */
export function partsTidier(cache: () => Pick<RecordCache, 'keepParts'>, clock: Pick<Clock, 'nowMs'>) {
  let tidiedAtMs = clock.nowMs();
  return async (views: readonly { readonly part: (hash: string) => unknown }[]): Promise<void> => {
    if (clock.nowMs() - tidiedAtMs < TIDY_MS) return;
    tidiedAtMs = clock.nowMs();
    await cache().keepParts((hash) => views.some((view) => view.part(hash) !== undefined));
  };
}
