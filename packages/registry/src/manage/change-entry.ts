import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Digest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { othersNamed, requireName } from '../entry/full-names.ts';
import { released, withoutReleases, withReleases } from '../entry/releases.ts';
import { notFoundLocally, resolveNamed } from '../entry/resolve.ts';
import { joinTags, requireNotes, requireTags } from '../entry/tags.ts';
import type { StoredEntry } from '../entry/types.ts';
import { otherOwners, unnamed } from '../import/place-releases.ts';
import { updateEntryNote } from '../store/model-notes.ts';
import type { ModelChanges, ReleaseChange } from './types.ts';

/** Changes what a person says of a model. */
export async function updateModel(context: RegistryContext, ref: string, changes: ModelChanges): Promise<StoredEntry> {
  requireTags(changes.addTags ?? []);
  requireNotes(changes.notes);
  requireName(changes.name);
  const { index, paths } = context;
  return await index.update(async (known) => {
    const { stored } = await resolveNamed(context, known, ref);
    const changed = withChanges(stored, changes);
    const others = changes.takesName === true ? othersNamed(known, changed) : [];
    const nameless = others.map((other) => ({ ...other, name: undefined }));
    for (const entry of [...nameless, changed]) await updateEntryNote(join(paths.models, entry.folder), entry);
    return { result: changed, put: [...nameless, changed] };
  });
}

/** Clears tags first, then removes, then adds, so what is added is there afterwards. */
function withChanges(
  stored: StoredEntry,
  { notes, addTags = [], removeTags = [], clearTags = false, name, hub, licenseAccepted, pinned }: ModelChanges,
): StoredEntry {
  const left = clearTags ? [] : stored.tags.filter((tag) => !removeTags.includes(tag));
  const tags = joinTags(stored, left, addTags);
  const said = {
    ...(name === undefined ? {} : { name }),
    ...(hub === undefined ? {} : { hub }),
    ...(pinned === undefined ? {} : { pinned: pinned ? true : undefined }),
    ...(licenseAccepted === undefined ? {} : { licenseAccepted }),
  };
  return { ...stored, ...said, tags, notes: notes === undefined ? stored.notes : notes === '' ? undefined : notes };
}

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
