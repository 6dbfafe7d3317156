import type { ModelEntry, Release } from '@model-rtc/protocol';
import { isSameRelease, released, releaseOwner, withoutReleases, withReleases } from '../entry/releases.ts';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';

/** The part of a placement that counts for its names in static registries. */
interface ReleasedPlacement {
  readonly digest: string;
  readonly draft: Pick<ModelEntry, 'source' | 'releases'>;
}

/** Other models that have a name in a static registry which is this one's now. */
export function otherOwners(index: RegistryIndex, { id, releases = [] }: StoredEntry): StoredEntry[] {
  const owners = new Set(releases.map((release) => releaseOwner(index, release)));
  return [...owners].filter((owner) => owner !== undefined && owner.id !== id) as StoredEntry[];
}

export function unnamed(owner: StoredEntry, { releases = [] }: StoredEntry): StoredEntry {
  return released(owner, withoutReleases(owner.releases, releases));
}

/** What a static registry had under the same name before, if that was its only one: the new content takes its folder. */
export function olderRelease(index: RegistryIndex, { digest, draft }: ReleasedPlacement): StoredEntry | undefined {
  const { source, releases = [] } = draft;
  const [owner] = source === 'static-registry' ? releases.map((release) => releaseOwner(index, release)) : [];
  if (owner === undefined || owner.digest === digest || owner.source !== 'static-registry') return undefined;
  return withoutReleases(owner.releases, releases).length === 0 ? owner : undefined;
}

/** The names of a model in static registries: another agent's word takes none from a model that is here. */
export function releasesFor(
  index: RegistryIndex,
  { digest, draft }: ReleasedPlacement,
  existing: StoredEntry | undefined,
) {
  const { source, releases = [] } = draft;
  const mayTake = (owner: StoredEntry | undefined) =>
    owner === undefined || owner.digest === digest || source === 'static-registry';
  const free = releases.filter((release) => mayTake(releaseOwner(index, release)));
  return withReleases(existing?.releases, free);
}

/** Whether a model has a release already, whatever its content. */
export function hasRelease(stored: StoredEntry, wanted: Release): boolean {
  return stored.releases?.some((release) => isSameRelease(release, wanted)) === true;
}
