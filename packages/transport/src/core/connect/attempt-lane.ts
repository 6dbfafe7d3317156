import { unavailableError } from '@model-rtc/protocol';
import type { Lane } from '../lane/lane.ts';
import type { AskLane, AttemptKind, AttemptOptions } from './components.ts';

/** Brings up one lane of this kind. @throws as `AskLane` */
export type AttemptLane = (kind: AttemptKind, options: AttemptOptions) => Promise<Lane>;

/** @param ask - how each kind of lane is asked for on this platform */
export function attemptLaneWith(ask: Readonly<Partial<Record<AttemptKind, AskLane>>>): AttemptLane {
  return async (kind, options) => {
    const askForLane = ask[kind];
    if (askForLane === undefined) throw unavailableError(`Connections of kind ${kind} cannot be made from here.`);
    const { channel } = options;
    const lane = channel.nextLane();
    const mailbox = channel.open(lane);
    try {
      return await askForLane(lane, mailbox, options);
    } finally {
      channel.done(lane);
    }
  };
}
