import { mapLimit } from '@model-rtc/files';
import type { Hub } from '@model-rtc/hub';
import { ModelRtcError, PUBLIC_HUB } from '@model-rtc/protocol';
import type { RegistryEntry } from '@model-rtc/registry';

const ASKED_AT_ONCE = 4;
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * How a model stands to its repository: `newer`: there is a newer commit than the one here; `pinned`: it was taken by its commit, which
 * has no newer one; `superseded`: the newer commit is here too, as another model; `elsewhere`: it is of another hub than the one that is asked; `unknown`: the hub did not say.
 */
export type RevisionState = 'current' | 'newer' | 'superseded' | 'pinned' | 'elsewhere' | 'unknown';

export interface RevisionReport {
  readonly entry: RegistryEntry & { readonly hub: NonNullable<RegistryEntry['hub']> };
  readonly state: RevisionState;
  /** The commit of the branch or tag now. */
  readonly newest?: string | undefined;
  /** The model that has it. */
  readonly supersededBy?: RegistryEntry | undefined;
  /** Why it is not known. */
  readonly error?: ModelRtcError | undefined;
}

/**
 * Asks a hub which of these models have a newer commit there. Models from elsewhere than a hub are left out.
 * @param known - all models of this machine that come from a hub
 * @throws ModelRtcError `cancelled`, and what stops every question: `refused` when no hub may be asked
 */
export async function findNewer(
  hub: Hub,
  entries: readonly RegistryEntry[],
  known: readonly RegistryEntry[],
  signal?: AbortSignal,
): Promise<RevisionReport[]> {
  const fromHub = entries.filter((entry): entry is RevisionReport['entry'] => entry.hub !== undefined);
  return await mapLimit(fromHub, ASKED_AT_ONCE, async (entry) => {
    const reported = await report(hub, entry, signal);
    const { state, newest } = reported;
    const newer = known.find((other) => other.hub?.repo === entry.hub.repo && other.hub.commit === newest);
    return state !== 'newer' || newer === undefined
      ? reported
      : { ...reported, state: 'superseded', supersededBy: newer };
  });
}

async function report(
  hub: Hub,
  entry: RevisionReport['entry'],
  signal: AbortSignal | undefined,
): Promise<RevisionReport> {
  const { repo, revision, commit, endpoint = PUBLIC_HUB } = entry.hub;
  if (COMMIT.test(revision ?? '')) return { entry, state: 'pinned' };
  // What another machine said of a model must not decide which servers this one asks, with its token.
  if (endpoint !== hub.endpoint) return { entry, state: 'elsewhere' };
  try {
    const newest = await hub.commit({ repo, revision }, signal);
    return { entry, state: newest === commit ? 'current' : 'newer', newest };
  } catch (thrown) {
    signal?.throwIfAborted();
    const error = ModelRtcError.from(thrown);
    if (error.details?.problem === 'offline') throw error;
    return { entry, state: 'unknown', error };
  }
}
