import { ModelRtcError } from '@model-rtc/protocol';
import type { AnswerLane, AnswerLaneOptions } from '../core/connect/components.ts';
import { LANE_ATTEMPT_MS } from '../core/connect/limits.ts';
import { answerRelay } from '../lanes/relay/set-up.ts';
import { answerLane } from '../lanes/webrtc/connect-lane.ts';

/** How a worker gives the lane that is asked for. */
export function createAnswer({ engine, iceServers, direct, serverUrl, log }: AnswerLaneOptions): AnswerLane {
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
