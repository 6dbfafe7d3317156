import { joinAsWorker } from '@model-rtc/signaling';
import { type Agent, acceptSessions, type SealedHandlers } from '@model-rtc/transport';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { MeetingRoom } from '../../core/index.ts';

export interface OpenMeetingRoomOptions {
  readonly room: MeetingRoom;
  readonly url: string;
  /** Whether the mesh has no other signaling server: its name need not be known then. */
  readonly isOnlyServer: boolean;
  readonly agent: Agent;
  /** What one visitor may ask. */
  readonly handlers: () => SealedHandlers;
}

/** A meeting room that this machine holds at one signaling server. */
export interface OpenedMeetingRoom {
  /** Whether visitors come here, or to another that holds it with this machine. */
  isOpen(): boolean;
  close(): void;
}

/** Waits for visitors in a meeting room. They may ask who is there, and open no connection. */
export function openMeetingRoom(options: OpenMeetingRoomOptions): OpenedMeetingRoom {
  const { room, url, isOnlyServer, agent, handlers } = options;
  const { identity, instance, secret } = room;
  const keyId = bytesToHex(room.keyId);
  // The worker waits at this server too, and says what is wrong with it.
  const registration = joinAsWorker({ urls: [url], ownUrl: isOnlyServer ? undefined : url, identity, instance });
  const acceptor = acceptSessions({
    ...{ registration, identity, agent },
    authorize: (id) => (id === keyId ? { secret, authority: { scopes: ['read'], keyId } } : undefined),
    handlers: () => ({}),
    sealedHandlers: handlers,
    onPeer: (peer) => void peer.close(),
  });
  return {
    isOpen: () => registration.states().some(({ state }) => state === 'online'),
    close: () => {
      registration.close();
      void acceptor.close();
    },
  };
}
