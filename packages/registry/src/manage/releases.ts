import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Digest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { released, withoutReleases, withReleases } from '../entry/releases.ts';
import { notFoundLocally } from '../entry/resolve.ts';
import type { StoredEntry } from '../entry/types.ts';
import { otherOwners, unnamed } from '../import/place-releases.ts';
import { updateEntryNote } from '../store/model-notes.ts';
import type { ReleaseChange } from './types.ts';

/** Changes what static registries call a model. A name that is added is taken from whichever model had it. */
export async function changeReleases(
  { index, paths }: RegistryContext,
  digest: Digest,
  { add = [], remove = [] }: ReleaseChange,
): Promise<StoredEntry> {
  return await index.update(async (known) => {
    const stored = known.byDigest.get(digest);
    if (stored === undefined) throw notFoundLocally(known, digest);
    const named = released(stored, withReleases(withoutReleases(stored.releases, remove), add));
    const put = isDeepStrictEqual(named, stored) ? [] : [named];
    for (const owner of otherOwners(known, named)) put.push(unnamed(owner, named));
    for (const entry of put) await updateEntryNote(join(paths.models, entry.folder), entry);
    return { result: named, put };
  });
}
