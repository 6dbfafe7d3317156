import type { SealedHandlers } from '@model-rtc/transport';
import { CATALOG_TTL_MS, GOODBYE_TTL_MS, MAX_SKEW_MS } from '../../core/limits.ts';
import type { MeshNodeOptions } from '../mesh-node-options.ts';
import { askMeeting } from './ask-meeting.ts';
import { MeetingRooms, type MeetingRoomsOptions } from './meeting-rooms.ts';
import { openMeetingRoom } from './open-meeting-room.ts';

export interface MeetingRoomsParts extends Pick<MeetingRoomsOptions, 'isAlone' | 'onMet'> {
  /** What one visitor may ask. */
  readonly handlers: () => SealedHandlers;
}

/** The meeting rooms of a node's mesh. */
export function meetingRoomsOf(
  options: MeshNodeOptions,
  { handlers, isAlone, onMet }: MeetingRoomsParts,
): MeetingRooms {
  const { sessions, view, visit, agent, signalingUrls, meetingSecrets, isPassing, ownKey, clock, random } = options;
  const isOnlyServer = signalingUrls.length === 1;
  const hasLeft = (key: string) => (view.catalogOf(key)?.ttlMs ?? CATALOG_TTL_MS) <= GOODBYE_TTL_MS;
  const isThere = (key: string) =>
    !hasLeft(key) && Date.now() - (view.aliveAtMs(key) ?? 0) <= CATALOG_TTL_MS + MAX_SKEW_MS;
  return new MeetingRooms({
    present: () => view.members().filter(({ key }) => isThere(key)).length,
    // One that others speak of needs no connection with this node.
    onMet: (key) => {
      if (!isThere(key) || isAlone()) onMet(key);
    },
    ...{ hasLeft, isAlone, urls: signalingUrls, ownKey, clock, random, secrets: meetingSecrets },
    roomOf: (secret) => sessions.meetingRoom(secret),
    ask: (room, url, signal) => askMeeting({ visit, sessions, room, url, signal, introduction: view.introduction() }),
    open: isPassing === true ? undefined : (room, url) => openMeetingRoom({ room, url, isOnlyServer, agent, handlers }),
  });
}
