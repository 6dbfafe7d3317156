/**
 * The WebSocket that carries signaling and relay channels, as the client side uses it. Node's is `ws`
 * (`@model-rtc/signaling` hands it in); a browser's own becomes one by `w3cWebSocket`.
 */
export interface ClientWebSocket {
  readonly isOpen: boolean;
  /** Bytes that were sent and are not on the network yet. */
  readonly unsentBytes: number;
  /** @param sent called once, when the data is on the network, or with the error that stopped it. */
  send(data: string | Uint8Array, sent: (error?: Error) => void): void;
  /** Reads nothing more from the network until `resume`, where the platform can do that: a browser cannot. */
  pause(): void;
  resume(): void;
  /** Says goodbye. What was sent still goes out, and a server that does not answer holds up nothing. */
  close(): void;
  /** Ends it at once, losing what is on its way. */
  terminate(): void;
}

/** What happens on a WebSocket. Events may still come after `close` and `terminate`. */
export interface WebSocketEvents {
  open?(): void;
  text(text: string): void;
  binary(bytes: Uint8Array): void;
  /** The server pinged, where the platform says so: a browser answers by itself and reports nothing. */
  ping?(): void;
  /** The server answered the upgrade with an HTTP status instead, where the platform tells it. */
  refused(status: number): void;
  failed(error: Error): void;
  closed(code: number, reason: string): void;
}

export interface WebSocketOptions {
  readonly url: string;
  /** A longer frame ends the connection. */
  readonly maxFrameBytes: number;
  /**
   * All frames are sealed. Masks keep bytes that someone chose from looking like HTTP to old proxies; nobody can choose
   * sealed frames, so a mask of zeros may spare each of them a copy.
   */
  readonly isSealed?: boolean;
  readonly events: WebSocketEvents;
}

/** Dials. It throws nothing: a failure to connect is `refused`, `failed` or `closed`. */
export type OpenWebSocket = (options: WebSocketOptions) => ClientWebSocket;
