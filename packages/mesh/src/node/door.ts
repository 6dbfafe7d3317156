import { type Clock, ModelRtcError } from '@model-rtc/protocol';
import type { Peer, SealedHandlers } from '@model-rtc/transport';
import type { SyncMessage, SyncReply } from '../core/gossip/types.ts';
import { MAX_SKEW_MS } from '../core/limits.ts';
import type { MeshMember } from '../types.ts';
import { noMemberError } from './links/as-member.ts';
import { visitorsClockError } from './records/clocks.ts';
import type { MeshView } from './view.ts';

export interface DoorOptions {
  readonly view: Pick<MeshView, 'members' | 'membersAmong'>;
  readonly answer: (message: SyncMessage) => Promise<SyncReply>;
  readonly onJoined?: ((member: MeshMember) => void) | undefined;
  /** Called with the records of a visitor that is not let in. */
  readonly onRefused?: ((shown: readonly Uint8Array[]) => void) | undefined;
  /** What a member is told; nothing when left out. */
  readonly holderFor?: ((askerKey: string) => Uint8Array) | undefined;
  readonly wallMs: () => number;
}

/** A membership, a roster and a leave. */
const MAX_DOOR_RECORDS = 4;
/** How often a visitor may try to be let in before it has to connect again. */
const MAX_DOOR_REQUESTS = 4;
/** How long a visitor has for it: all who come in share the places of one session. */
const DOOR_MS = 30_000;

/**
 * What a visitor may ask that is no member yet: to be let in. It is told nothing, except that it does not belong to the mesh, and in a
 * meeting room who holds it.
 */
export function doorHandlers({ view, answer, onJoined, onRefused, holderFor, wallMs }: DoorOptions): SealedHandlers {
  let requests = 0;
  return {
    mesh_gossip: async ({ records, sentAt }) => {
      requests += 1;
      if (requests > MAX_DOOR_REQUESTS) throw new ModelRtcError('busy', 'You ask too often. Connect again later.');
      const shown = records.slice(0, MAX_DOOR_RECORDS);
      const before = new Set(view.members().map(({ key }) => key));
      await answer({ records: shown });
      const [shownKey, ...others] = view.membersAmong(shown);
      if (shownKey === undefined) {
        onRefused?.(shown);
        const leadMs = (sentAt ?? 0) - wallMs();
        // What it signed just now begins in the future.
        throw leadMs > MAX_SKEW_MS ? visitorsClockError(leadMs) : noMemberError();
      }
      // Others come in by other doors at the same time, and are told of there.
      const joined = view.members().find(({ key }) => !before.has(key) && [shownKey, ...others].includes(key));
      if (joined !== undefined) onJoined?.(joined);
      return { records: [], want: [], holder: holderFor?.(shownKey) };
    },
  };
}

/** A visitor that stays in the door would keep others out. */
export function endSoon(peer: Peer, clock: Pick<Clock, 'after'>): void {
  const stop = clock.after(DOOR_MS, () => {
    void peer.close(new ModelRtcError('timeout', 'You did not come in. Connect again.'));
  });
  void peer.closed.then(stop);
}
