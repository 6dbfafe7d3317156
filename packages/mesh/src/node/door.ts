import type { Handlers } from '@model-rtc/transport';
import type { SyncMessage, SyncReply } from '../core/gossip/types.ts';
import type { MeshMember } from '../types.ts';
import { noMemberError } from './links/connect-as-member.ts';
import type { MeshView } from './view.ts';

export interface DoorOptions {
  readonly view: Pick<MeshView, 'members' | 'areOfMembers'>;
  readonly answer: (message: SyncMessage) => Promise<SyncReply>;
  readonly onJoined?: ((member: MeshMember) => void) | undefined;
}

/** A membership, a roster and a leave. */
const MAX_DOOR_RECORDS = 4;

/** What a visitor may ask that is no member yet: to be let in. It is told nothing, except that it does not belong to the mesh. */
export function doorHandlers({ view, answer, onJoined }: DoorOptions): Handlers {
  return {
    mesh_gossip: async ({ records }) => {
      const shown = records.slice(0, MAX_DOOR_RECORDS);
      const before = new Set(view.members().map(({ key }) => key));
      await answer({ records: shown });
      if (!view.areOfMembers(shown)) throw noMemberError();
      const joined = view.members().find(({ key }) => !before.has(key));
      if (joined !== undefined) onJoined?.(joined);
      return { records: [], want: [] };
    },
  };
}
