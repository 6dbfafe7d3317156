/** What a node says on its local networks, for one mesh. It names no mesh, no person and no model. */
export interface LanAnnouncement {
  /** 16 hex characters, from a hash of the mesh's id. */
  readonly meshHint: string;
  /** 16 hex characters, from a hash of the mesh's id and the node's key. */
  readonly nodeHint: string;
  /** The node's key as members of the mesh can read it: 64 hex characters. */
  readonly maskedKey: string;
  /** The port of the node's signaling server. */
  readonly port: number;
}

/** What was heard of a node. All of it is a hint: only the seal of a pairwise session proves who is there. */
export interface LanSighting {
  readonly meshHint: string;
  readonly nodeHint: string;
  /** Missing where it was not understood. */
  readonly maskedKey: string | undefined;
  /** Where its signaling server may be; empty for a node that says it is leaving. */
  readonly urls: readonly string[];
  readonly isLeaving: boolean;
}

/** A network interface that multicast goes out over. */
export interface LanInterface {
  /** Differs for every interface and address. */
  readonly id: string;
  readonly name: string;
  readonly family: 4 | 6;
  /** The addresses that others reach this machine by, of either family. */
  readonly addresses: readonly string[];
}

/** A record as it is sent. */
export type MdnsAnswer = { readonly name: string; readonly ttl: number } & (
  | { readonly type: 'PTR' | 'A' | 'AAAA'; readonly data: string }
  | { readonly type: 'SRV'; readonly data: { readonly port: number; readonly target: string } }
  | { readonly type: 'TXT'; readonly data: string[] }
);

export type MdnsPacket =
  | { readonly type: 'query'; readonly answers: readonly MdnsAnswer[] }
  | { readonly type: 'response'; readonly answers: readonly MdnsAnswer[] };

/** A socket of one interface. */
export interface MdnsSocket {
  send(packet: MdnsPacket): void;
  close(): void;
}

/** What a received packet may hold: nothing in it is checked yet. */
export interface ReceivedPacket {
  readonly type: unknown;
  readonly questions: readonly { readonly name: unknown; readonly type: unknown }[];
  readonly answers: readonly ReceivedRecord[];
}

export interface ReceivedRecord {
  readonly name: unknown;
  readonly type: unknown;
  readonly ttl?: unknown;
  readonly data?: unknown;
}

export interface MdnsEvents {
  packet(packet: ReceivedPacket, senderAddress: string): void;
  failed(error: Error): void;
}

export type OpenMdnsSocket = (on: LanInterface, events: MdnsEvents) => MdnsSocket;
