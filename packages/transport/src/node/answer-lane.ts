import { type Log, ModelRtcError } from '@model-rtc/protocol';
import type { AnswerLane } from '../connect/lane-answers.ts';
import { LANE_ATTEMPT_MS } from '../connect/limits.ts';
import type { DirectListener } from '../lanes/direct/listen.ts';
import { answerRelay } from '../lanes/relay/set-up.ts';
import { answerLane } from '../lanes/webrtc/connect-lane.ts';
import type { IceServer, WebRtcEngine } from '../lanes/webrtc/engine.ts';

export interface AnswerAskOptions {
  readonly engine: WebRtcEngine;
  readonly iceServers?: readonly IceServer[] | undefined;
  /** Without it, no direct lanes are given. */
  readonly direct?: DirectListener | undefined;
  /** The signaling server that the visitor came over, where both can meet. */
  readonly serverUrl: string;
  readonly log?: Log | undefined;
}

/** How a worker gives the lane that is asked for. */
export function createAnswer({ engine, iceServers, direct, serverUrl, log }: AnswerAskOptions): AnswerLane {
  const timeoutMs = LANE_ATTEMPT_MS;
  return async ({ lane, first, receive, send, signal }) => {
    if (first.type === 'offer') {
      const { mtu } = first;
      return await answerLane({ engine, iceServers, mtu, lane, receive, send, signal, timeoutMs });
    }
    if (first.type === 'relay_ask') {
      const meeting = answerRelay(first, { serverUrl, signal, timeoutMs, log });
      await send(meeting.offer);
      return await meeting.lane;
    }
    if (direct === undefined) throw new ModelRtcError('refused', 'This worker takes no direct connections.');
    const expected = direct.expect(lane, { signal, timeoutMs });
    await send(expected.offer);
    return await expected.lane;
  };
}
