import { type Clock, ModelRtcError } from '@model-rtc/protocol';
import type { ChunkBuffer } from '../disk/buffer-pool.ts';
import { type Layout, sizeOf } from '../layout/layout.ts';
import {
  ASK_AGAIN_MS,
  LONGEST_ASK_AGAIN_MS,
  MAX_UNANSWERED_REQUESTS,
  REQUEST_BYTES,
  SOURCE_STALL_MS,
} from '../limits.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { ChunkSource } from '../sources/source.ts';
import { wantedChunk } from '../sources/wanted-chunk.ts';
import type { AskGate } from './ask-gate.ts';
import { misbehaviour } from './assembly.ts';
import { type Buffers, ChunkRequest, type Miss } from './chunk-request.ts';

import type { OriginFlow } from './origin-flow.ts';

export interface RunnerListener {
  arrived(runner: SourceRunner, chunk: number, buffer: ChunkBuffer): void;
  missed(runner: SourceRunner, chunk: number, how: Miss): void;
  /** @param askAgainMs - when it may be asked for them again */
  lacking(runner: SourceRunner, chunks: readonly number[], askAgainMs: number): void;
  unwanted(bytes: number): void;
  /** The source is gone, or was dropped for misbehaving. */
  dropped(runner: SourceRunner, error: ModelRtcError): void;
}

export interface RunnerParts {
  readonly layout: Layout;
  readonly schedule: Schedule;
  readonly buffers: Buffers;
  readonly clock: Clock;
  /** Limits the rate of requests; sources that are not limited have none. */
  readonly gate: AskGate | undefined;
  /** The flow of all sources with the same origin. */
  readonly flow: OriginFlow;
  readonly listener: RunnerListener;
}

/** Keeps one source busy: several requests in flight, as the schedule says. */
export class SourceRunner {
  readonly source: ChunkSource;
  /** Its number in the schedule. */
  readonly number: number;
  readonly #parts: RunnerParts;
  readonly #requests = new Map<ChunkRequest, AbortController>();
  #quietSinceMs = 0;
  #quietBytes = 0;
  /** What its origin had given when this source fell quiet. */
  #originBytesBefore = 0;
  /** The source reports bytes as they come: an encoded chunk makes no piece before it is whole. */
  #tellsWireBytes = false;
  /** Since when it has said that it has nothing of what it was asked for. */
  #emptySinceMs: number | undefined;
  #error: ModelRtcError | undefined;

  constructor(source: ChunkSource, number: number, parts: RunnerParts) {
    this.source = source;
    this.number = number;
    this.#parts = parts;
  }

  /** Why the source is no longer used. */
  get error(): ModelRtcError | undefined {
    return this.#error;
  }

  /** Asks for as much as the schedule allows. */
  fill(): void {
    while (this.askOnce()) {}
  }

  /** Makes one request; false when the schedule has none for this source now. */
  askOnce(): boolean {
    const { layout, schedule, clock, gate } = this.#parts;
    if (this.#error !== undefined) return false;
    const room = gate?.room() ?? REQUEST_BYTES;
    if (room <= 0) return false;
    const wasIdle = schedule.askedOf(this.number) === 0;
    const chunks = schedule.take(this.number, clock.nowMs(), room);
    if (chunks.length === 0) return false;
    if (wasIdle) this.#restartQuiet();
    for (const chunk of chunks) gate?.use(sizeOf(layout, chunk));
    void this.#request(chunks);
    return true;
  }

  /** Another source gave the chunk. Cancels a request when nothing in it is wanted any more. */
  discard(chunk: number): void {
    for (const [request, abort] of this.#requests) {
      if (!request.discard(chunk)) continue;
      this.#requests.delete(request);
      abort.abort(new ModelRtcError('cancelled', 'Another source gave these chunks.'));
    }
  }

  /** A right chunk came from it. */
  progressed(): void {
    this.#emptySinceMs = undefined;
    this.#restartQuiet();
  }

  /** Whether it said that it does not have what it was asked for, and gave nothing since. */
  get isEmpty(): boolean {
    return this.#emptySinceMs !== undefined;
  }

  /** Whether chunks are expected from it. */
  get owes(): boolean {
    return this.#error === undefined && this.#parts.schedule.askedOf(this.number) > 0;
  }

  /** Drops the source when it owes chunks and has delivered none for too long. */
  checkStall(): void {
    const { clock, flow } = this.#parts;
    if (!this.owes) return;
    if (clock.nowMs() - this.#quietSinceMs < SOURCE_STALL_MS) return;
    const originBytes = flow.bytes - this.#originBytesBefore;
    if (flow.isSlow({ ownBytes: this.#quietBytes, originBytes })) this.#restartQuiet();
    else this.#stalled();
  }

  /** Ends all requests; whatever they still bring is ignored. */
  stop(error: ModelRtcError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    const requests = [...this.#requests];
    this.#requests.clear();
    for (const [request] of requests) request.abandon();
    for (const [, abort] of requests) abort.abort(error);
  }

  #restartQuiet(): void {
    this.#quietSinceMs = this.#parts.clock.nowMs();
    this.#quietBytes = 0;
    this.#originBytesBefore = this.#parts.flow.bytes;
  }

  #stalled(): void {
    const error = new ModelRtcError(
      'network',
      `${this.source.name} delivered ${this.#quietBytes === 0 ? 'nothing' : 'next to nothing'} for ${SOURCE_STALL_MS / 1000} s. What arrived is kept: run the command again to resume.`,
    );
    this.source.onStall?.(error);
    this.#fail(error);
  }

  async #request(chunks: readonly number[]): Promise<void> {
    const { layout, buffers, listener } = this.#parts;
    const wanted = chunks.map((id) => wantedChunk(layout, id));
    const request = new ChunkRequest(wanted, buffers, {
      arrived: (chunk, buffer) => listener.arrived(this, chunk, buffer),
      missed: (chunk, how) => listener.missed(this, chunk, how),
      lacking: (those) => this.#lacking(those),
      unwanted: (bytes) => listener.unwanted(bytes),
    });
    const abort = new AbortController();
    this.#requests.set(request, abort);
    try {
      const result = await this.source.fetch(wanted, {
        signal: abort.signal,
        onPiece: (index, offset, bytes, intact) => this.#onPiece(request, { index, offset, bytes, intact }),
        onWrong: (index) =>
          this.#guard(() => {
            request.addWrong(index);
            this.#boundUnanswered();
          }),
        onWireBytes: (bytes) => {
          this.#tellsWireBytes = true;
          this.#came(bytes);
        },
      });
      request.end(result?.missing);
    } catch (error) {
      // The result of a cancelled request does not matter.
      if (this.#requests.has(request)) this.#fail(ModelRtcError.from(error));
    } finally {
      this.#requests.delete(request);
    }
  }

  /** It answers, even if it has nothing: that is not a stall. */
  #lacking(chunks: readonly number[]): void {
    const { layout, gate, clock, listener } = this.#parts;
    this.#restartQuiet();
    const nowMs = clock.nowMs();
    this.#emptySinceMs ??= nowMs;
    const waitMs = Math.min(Math.max(nowMs - this.#emptySinceMs, ASK_AGAIN_MS), LONGEST_ASK_AGAIN_MS);
    for (const chunk of chunks) gate?.refund(sizeOf(layout, chunk));
    listener.lacking(this, chunks, nowMs + waitMs);
  }

  #onPiece(request: ChunkRequest, piece: { index: number; offset: number; bytes: Uint8Array; intact: boolean }): void {
    this.#guard(() => {
      request.addPiece(piece.index, piece.offset, piece.bytes, piece.intact);
      if (piece.intact && !this.#tellsWireBytes) this.#came(piece.bytes.length);
      this.#boundUnanswered();
    });
  }

  #came(bytes: number): void {
    this.#quietBytes += bytes;
    this.#parts.flow.came(bytes);
  }

  /** Bounds open requests: each takes memory until it is answered. */
  #boundUnanswered(): void {
    if (this.#requests.size <= MAX_UNANSWERED_REQUESTS) return;
    const unanswered = [...this.#requests.keys()].filter(({ isSettled }) => isSettled).length;
    if (unanswered > MAX_UNANSWERED_REQUESTS) throw misbehaviour('all chunks of many requests and no answer to them');
  }

  /** Drops a source that sends what no honest source does. Nothing is thrown into it: who knows what it would do with that. */
  #guard(take: () => void): void {
    try {
      take();
    } catch (error) {
      const cause = ModelRtcError.from(error);
      this.#fail(
        new ModelRtcError(cause.code, `${this.source.name} was dropped. ${cause.message}`, {
          cause,
          details: { source: this.source.name },
        }),
      );
    }
  }

  #fail(error: ModelRtcError): void {
    if (this.#error !== undefined) return;
    this.stop(error);
    this.#parts.listener.dropped(this, error);
  }
}
