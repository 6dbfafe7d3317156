import { isInside } from '@model-rtc/files';
import type { FoundPlace, FoundPlaces, RegistryEntry } from '@model-rtc/registry';

/** Entries whose files are no longer found in a folder. Files in an unreadable folder may still be there. */
function goneEntries(entries: readonly RegistryEntry[], found: FoundPlaces): RegistryEntry[] {
  const here = new Set(found.places.map(({ path }) => path));
  return entries.filter(({ originalPath }) => {
    if (originalPath === undefined || here.has(originalPath)) return false;
    return !found.unreadable.some((folder) => isInside(originalPath, folder));
  });
}

/** Gone entries that nothing replaces: an earlier version stays until the new one is whole. */
export function lostEntries(entries: readonly RegistryEntry[], found: FoundPlaces): RegistryEntry[] {
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
