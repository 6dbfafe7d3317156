import { isInside } from '@model-rtc/files';
import type { Log } from '@model-rtc/protocol';
import type { FoundPlace, FoundPlaces, Registry, RegistryEntry } from '@model-rtc/registry';
import type { OnWatchEvent } from './types.ts';

export interface GoneOptions {
  readonly registry: Registry;
  readonly log: Log;
  readonly onEvent: OnWatchEvent;
  readonly goneMs: number;
}

export interface GoneLook {
  readonly gone: readonly RegistryEntry[];
  readonly found: FoundPlaces;
  /** A model is being imported, which may be a gone one under another path. */
  readonly isBusy: boolean;
  readonly nowMs: number;
}

/**
 * Removes from the registry what is gone from a folder, once that is certain: not while models are being moved, and not when
 * the folder is empty because the disk that belongs there is not mounted.
 */
export class GoneEntries {
  readonly #registry: Registry;
  readonly #log: Log;
  readonly #onEvent: OnWatchEvent;
  readonly #goneMs: number;
  readonly #since = new Map<string, number>();
  /** The folder that models were seen in. */
  #identity: string | undefined;
  #hasWarned = false;

  constructor({ registry, log, onEvent, goneMs }: GoneOptions) {
    this.#registry = registry;
    this.#log = log;
    this.#onEvent = onEvent;
    this.#goneMs = goneMs;
  }

  /** Whether something is gone, but not yet for long enough to be removed. */
  get isWaiting(): boolean {
    return this.#since.size > 0;
  }

  async look({ gone, found, isBusy, nowMs }: GoneLook): Promise<void> {
    if (!found.isEmpty) this.#identity = found.identity;
    const paths = new Set(gone.map(({ originalPath }) => originalPath));
    for (const path of this.#since.keys()) if (!paths.has(path)) this.#since.delete(path);
    if (gone.length === 0 || this.#isUnmounted(found)) return;
    for (const { originalPath, alias, id } of gone) {
      if (originalPath === undefined) continue;
      const sinceMs = this.#since.get(originalPath) ?? nowMs;
      this.#since.set(originalPath, sinceMs);
      if (isBusy || nowMs - sinceMs < this.#goneMs) continue;
      await this.#registry.forgetRun(originalPath);
      this.#since.delete(originalPath);
      this.#onEvent({ type: 'forgotten', id, alias, path: originalPath });
    }
  }

  #isUnmounted({ root, identity, isEmpty }: FoundPlaces): boolean {
    const isUnmounted = isEmpty && identity !== this.#identity;
    if (isUnmounted && !this.#hasWarned) {
      this.#log.warn(
        { folder: root },
        `${root} is empty: keeping what was found there, in case its disk is not mounted`,
      );
    }
    this.#hasWarned = isUnmounted;
    return isUnmounted;
  }
}

/** Entries whose files are no longer found in a folder. Files in an unreadable folder may still be there. */
function goneEntries(entries: readonly RegistryEntry[], found: FoundPlaces): RegistryEntry[] {
  const here = new Set(found.places.map(({ path }) => path));
  return entries.filter(({ originalPath }) => {
    if (originalPath === undefined || here.has(originalPath)) return false;
    return !found.unreadable.some((folder) => isInside(originalPath, folder));
  });
}

/** Gone entries that nothing replaces: an earlier version stays until the new one is whole. */
export function unreplacedEntries(entries: readonly RegistryEntry[], found: FoundPlaces): RegistryEntry[] {
  const known = new Set(entries.map(({ originalPath }) => originalPath));
  const coming = found.places.filter(({ path }) => !known.has(path));
  const groups = coming.map(({ group }) => group).filter((group) => group !== undefined);
  return goneEntries(entries, found).filter(
    ({ originalPath = '' }) => !groups.some((group) => isInside(originalPath, group)),
  );
}

/**
 * The earlier version that a place replaces: the only gone one of a group in which only one is new. This way a hub's
 * repository that moves to another commit keeps its alias.
 */
export function earlierVersion(
  place: FoundPlace,
  entries: readonly RegistryEntry[],
  found: FoundPlaces,
): string | undefined {
  const { group } = place;
  if (group === undefined) return undefined;
  const known = new Set(entries.map(({ originalPath }) => originalPath));
  const added = found.places.filter((other) => other.group === group && !known.has(other.path));
  const gone = goneEntries(entries, found).filter(({ originalPath = '' }) => isInside(originalPath, group));
  return added.length === 1 && added[0]?.path === place.path && gone.length === 1 ? gone[0]?.originalPath : undefined;
}
