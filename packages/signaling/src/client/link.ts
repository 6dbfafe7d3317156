import { deferred, fromBase64Url, ModelRtcError, toBase64Url } from '@model-rtc/protocol';
import { MAX_LINK_QUEUE_BYTES, MAX_LINK_QUEUE_ITEMS, MAX_PAYLOAD_BYTES } from '../limits.ts';
import { BoundedQueue } from './bounded-queue.ts';

/** One visitor and one worker, talking through a signaling server that cannot be trusted: seal what is sent. */
export interface Link {
  /** The signaling server that it goes through, as this side was told to dial it: both sides can meet at its relay. */
  readonly serverUrl: string;
  /**
   * Resolves when the bytes have gone to the network; the buffer may be reused at once.
   *
   * @param bytes at most 64 KiB
   * @throws ModelRtcError `bad_argument` for more (the link stays open); what ended the link when it has ended, or
   *   `network` when this side closed it.
   */
  send(bytes: Uint8Array): Promise<void>;
  /** What the other side sent, in order. It never throws; it ends with the link, after what had arrived by then. */
  readonly messages: AsyncIterable<Uint8Array>;
  /** Ends the link. What was sent still goes out. */
  close(): void;
  /** Resolves when the link has ended: undefined when this side closed it, else why. It never rejects. */
  readonly closed: Promise<ModelRtcError | undefined>;
}

/** What carries a link: the rest of a connection. */
export interface LinkCarrier {
  readonly serverUrl: string;
  send(payload: string): Promise<void>;
  /** This side is done with the link. */
  close(): void;
}

/** A link, and the handles by which its connection drives it. */
export interface DrivenLink {
  readonly link: Link;
  deliver(payload: string): void;
  /** The link is gone. If called twice, the first reason counts. */
  end(reason: ModelRtcError | undefined): void;
}

export function createLink(carrier: LinkCarrier): DrivenLink {
  const messages = new BoundedQueue<Uint8Array>({ maxItems: MAX_LINK_QUEUE_ITEMS, maxBytes: MAX_LINK_QUEUE_BYTES });
  let ended: { reason: ModelRtcError | undefined } | undefined;
  const closed = deferred<ModelRtcError | undefined>();

  function end(reason: ModelRtcError | undefined): void {
    if (ended !== undefined) return;
    ended = { reason };
    messages.finish();
    closed.resolve(reason);
  }

  function endBoth(reason: ModelRtcError | undefined): void {
    if (ended !== undefined) return;
    end(reason);
    carrier.close();
  }

  function deliver(payload: string): void {
    const bytes = fromBase64Url(payload);
    if (ended !== undefined || messages.push(bytes, bytes.length)) return;
    // Dropping one message would leave a gap that the other side cannot see.
    endBoth(new ModelRtcError('malformed_message', 'The other side sent more than this side could take; try again.'));
  }

  async function send(bytes: Uint8Array): Promise<void> {
    if (bytes.length > MAX_PAYLOAD_BYTES) {
      const problem = `A signaling message has ${bytes.length} bytes; at most ${MAX_PAYLOAD_BYTES} are allowed.`;
      throw new ModelRtcError('bad_argument', problem);
    }
    if (ended !== undefined) throw ended.reason ?? new ModelRtcError('network', 'This signaling link is closed.');
    await carrier.send(toBase64Url(bytes));
  }

  const { serverUrl } = carrier;
  return { link: { serverUrl, send, messages, close: () => endBoth(undefined), closed: closed.promise }, deliver, end };
}
