import { type Clock, deferred, type Log, ModelRtcError } from '@model-rtc/protocol';

import type { Lane } from '../lane/lane.ts';
import type { MessageBudget } from '../peer/message-budget.ts';
import type { Authority, Handlers, Peer } from '../peer/peer.ts';
import { PeerAssembly } from './assemble-peer.ts';
import type { AnswerLane } from './components.ts';
import type { Agent } from './connect-to-session.ts';
import { LaneAnswers } from './lane-answers.ts';
import { MAX_FURTHER_ASKS, MAX_PENDING_FURTHER } from './limits.ts';

export interface WorkerLanesOptions {
  readonly agent: Agent;
  readonly authority: Authority;
  readonly handlers: Handlers;
  /** What all clients of the token may take together for messages in fragments. */
  readonly budget: MessageBudget;
  /** Whether the clients of the token may have one more connection. */
  readonly hasRoomForLane: () => boolean;
  /** How a further lane that the client asks for is given. */
  readonly answer: AnswerLane;
  readonly onPeer: (peer: Peer, lane: Lane) => void;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Makes a worker's peer of the lanes of one exchange, and gives it the further ones that the client asks for over them.
 * @returns what takes each lane that came up.
 */
export function workerLanes(options: WorkerLanesOptions): (lane: Lane) => void {
  const { agent, authority, handlers, budget, hasRoomForLane, answer, onPeer, log, clock } = options;
  // What comes right behind the client's hello is read before the peer is handed over: its answers wait for that.
  const making = deferred<Peer>();
  const further = new LaneAnswers({
    answer,
    send: async (message) => await (await making.promise).sendExchange(message),
    onLane: (lane) => {
      if (hasRoomForLane()) making.promise.then((peer) => peer.addLane(lane)).catch(() => {});
      else lane.abort(tooManyLanesError());
    },
    onRefused: (error) => void making.promise.then((peer) => peer.close(error)),
    onSettled: () => {},
    maxAsks: MAX_FURTHER_ASKS,
    maxPending: MAX_PENDING_FURTHER,
    latestOfferOnly: false,
    log,
  });
  const assembly = new PeerAssembly({
    hello: { role: 'worker', ...agent, capabilities: ['lanes', ...(agent.capabilities ?? [])] },
    authority,
    handlers,
    budget,
    onExchange: (message) => further.take(message),
    onPeer: (made, lane) => {
      making.resolve(made);
      void made.closed.then(() => further.end());
      onPeer(made, lane);
    },
    log,
    clock,
  });
  return (lane) => {
    if (!hasRoomForLane()) {
      lane.abort(tooManyLanesError());
      return;
    }
    assembly.add(lane).catch((error: unknown) => log.debug({ err: error }, 'a connection was of no use'));
  };
}

function tooManyLanesError(): ModelRtcError {
  return new ModelRtcError(
    'busy',
    'The clients of this session have as many connections as a worker gives one session.',
  );
}
