import { deferred, ModelRtcError } from '@model-rtc/protocol';

/** How and whether a lane has ended: settled once, by whichever of its ways to end comes first. */
export class LaneEnd {
  readonly #closed = deferred<ModelRtcError | undefined>();
  #ended = false;
  #error: ModelRtcError | undefined;

  get closed(): Promise<ModelRtcError | undefined> {
    return this.#closed.promise;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** @returns whether this call was the one that ended the lane */
  settle(error: ModelRtcError | undefined): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#error = error;
    this.#closed.resolve(error);
    return true;
  }

  /** What a `send` on the ended lane throws. */
  sendError(): ModelRtcError {
    return this.#error ?? laneClosedError();
  }
}

export function laneClosedError(): ModelRtcError {
  return new ModelRtcError('network', 'The connection to the other side is closed; connect again.');
}

export function laneAbortedError(): ModelRtcError {
  return new ModelRtcError('network', 'This side aborted the connection; connect again.');
}

export function laneLostError(cause?: unknown): ModelRtcError {
  return new ModelRtcError('network', 'The connection to the other side was lost; try again.', { cause });
}

/** @throws ModelRtcError `bad_argument` when no lane of this size can carry the message */
export function assertMessageFits(message: Uint8Array, maxMessageSize: number): void {
  if (message.byteLength > 0 && message.byteLength <= maxMessageSize) return;
  throw new ModelRtcError(
    'bad_argument',
    `A message of ${message.byteLength} bytes cannot be sent: this lane takes 1 to ${maxMessageSize} bytes. Send it in parts.`,
    { details: { size: message.byteLength, maxMessageSize } },
  );
}
