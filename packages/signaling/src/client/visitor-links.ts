import type { ModelRtcError } from '@model-rtc/protocol';
import { MAX_VISITORS_PER_ROOM } from '../limits.ts';
import type { ClientMessage, ServerMessage } from '../messages.ts';
import { createLink, type DrivenLink, type Link } from './link.ts';
import { goneError } from './server-errors.ts';

/** A link to someone who visits this worker. */
export interface Visitor extends Link {
  /** The server's name for this visitor: only useful in logs. */
  readonly visitor: string;
}

/** The visitors that came over one connection. The server is not trusted to keep to its limits. */
export class VisitorLinks {
  readonly #serverUrl: string;
  readonly #send: (message: ClientMessage) => Promise<void>;
  readonly #onVisitor: (visitor: Visitor) => boolean;
  readonly #links = new Map<string, DrivenLink>();

  constructor(
    serverUrl: string,
    send: (message: ClientMessage) => Promise<void>,
    onVisitor: (visitor: Visitor) => boolean,
  ) {
    this.#serverUrl = serverUrl;
    this.#send = send;
    this.#onVisitor = onVisitor;
  }

  onMessage(message: ServerMessage): void {
    if (message.type === 'visitor') this.#add(message.visitor);
    else if (message.type === 'from') this.#links.get(message.visitor ?? '')?.deliver(message.payload);
    else if (message.type === 'gone') this.#remove(message.visitor, message.reason);
    else if (message.type === 'error' && message.code === 'peer_gone') this.#remove(message.visitor, 'ended');
  }

  /** The connection is gone. @param reason undefined when this side closed it. */
  endAll(reason: ModelRtcError | undefined): void {
    for (const { end } of this.#links.values()) end(reason);
    this.#links.clear();
  }

  #add(name: string): void {
    if (this.#links.has(name)) return;
    const driven = createLink({
      serverUrl: this.#serverUrl,
      send: (payload) => this.#send({ type: 'send', visitor: name, payload }),
      close: () => this.#end(name),
    });
    const isWelcome = this.#links.size < MAX_VISITORS_PER_ROOM && this.#onVisitor({ ...driven.link, visitor: name });
    if (isWelcome) this.#links.set(name, driven);
    else this.#end(name);
  }

  #end(name: string): void {
    this.#links.delete(name);
    // A failed send means that the connection is gone, and every link with it.
    this.#send({ type: 'end', visitor: name }).catch(() => {});
  }

  #remove(name: string | undefined, reason: 'ended' | 'lost'): void {
    const driven = this.#links.get(name ?? '');
    this.#links.delete(name ?? '');
    driven?.end(goneError('visitor', reason));
  }
}
