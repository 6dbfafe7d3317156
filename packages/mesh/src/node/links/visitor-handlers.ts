import type { Handlers, Peer, SealedHandlers } from '@model-rtc/transport';
import type { RecordSync } from '../../core/gossip/record-sync.ts';
import type { SyncMessage, SyncReply } from '../../core/gossip/types.ts';
import { doorHandlers } from '../door.ts';
import type { MeshNodeOptions } from '../mesh-node-options.ts';
import { noMemberError } from './as-member.ts';

export interface VisitorHandlersOptions extends Pick<MeshNodeOptions, 'view' | 'sessions' | 'onJoined' | 'onRefused'> {
  /** The date, in milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly sync: Pick<RecordSync, 'answer' | 'giveParts'>;
  /** A member visits this node without a connection. */
  readonly onVisit: (key: string) => void;
}

/** Who comes in by the door has no name yet; each visit is counted by itself. */
export const DOOR = 'door';

/** What visitors of this node may ask, beside what their scopes give them at the worker. */
export class VisitorHandlers {
  readonly #options: VisitorHandlersOptions;
  #visits = 0;

  constructor(options: VisitorHandlersOptions) {
    this.#options = options;
  }

  /**
   * @param key - the member that asks
   * @param onGossip - called with who asks: a command of the member that fetches a model has a connection too, and answers nothing
   */
  ofMember(key: string, onGossip?: (peer: Peer) => void): Handlers {
    const { sync } = this.#options;
    return {
      mesh_gossip: async (message, { peer }) => {
        onGossip?.(peer);
        return this.#dated(key, message, await sync.answer(key, message));
      },
      mesh_fetch: async ({ parts }) => ({ parts: sync.giveParts(key, parts) }),
    };
  }

  /** The same of a member that has no connection with this node. It asks alone, and briefly. */
  ofMemberWithoutLane(key: string): SealedHandlers {
    const { sync, onVisit } = this.#options;
    return {
      mesh_gossip: async (message) => {
        onVisit(key);
        return this.#dated(key, message, await sync.answer(key, message, { isWithoutLane: true }));
      },
      mesh_fetch: async ({ parts }) => ({ parts: sync.giveParts(key, parts, { isWithoutLane: true }) }),
    };
  }

  /** What a visitor may ask that is no member yet: to be let in. */
  atDoor(): SealedHandlers {
    return doorHandlers(this.#doorOptions());
  }

  /** The same in a meeting room, whose visitors are told who holds it. */
  inMeeting(): SealedHandlers {
    const { sessions } = this.#options;
    return doorHandlers({ ...this.#doorOptions(), holderFor: (askerKey) => sessions.holderFor(askerKey) });
  }

  #doorOptions() {
    this.#visits += 1;
    const visit = `${DOOR}/${this.#visits}`;
    const { sync, view, onJoined, onRefused, wallMs } = this.#options;
    const answer = async (message: SyncMessage) => await sync.answer(visit, message);
    return { view, answer, onJoined, onRefused, wallMs };
  }

  /**
   * An answer to a member, with this machine's date where the member said its own.
   * @throws ModelRtcError `token_revoked`: its removal may have come while it was answered, and the roster has what it must not know
   */
  #dated(key: string, { sentAt }: SyncMessage, reply: SyncReply) {
    const { view, wallMs } = this.#options;
    if (view.scopesOf(key) === undefined) throw noMemberError();
    if (sentAt === undefined) return copied(reply);
    view.clocks.compared(key, sentAt - wallMs());
    return { ...copied(reply), sentAt: wallMs() };
  }
}

/** An answer as the protocol's types want it. */
function copied({ records, want, ranges, missing, ...rest }: SyncReply) {
  const lists = { ranges: ranges && [...ranges], missing: missing && [...missing] };
  return { records: [...records], want: [...want], ...lists, ...rest };
}
