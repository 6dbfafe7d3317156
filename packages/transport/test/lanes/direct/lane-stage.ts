import type { DirectListener, DirectOffer } from '../../../src/core/connect/components.ts';
import { type DialDirectOptions, dialDirect } from '../../../src/lanes/direct/dial.ts';
import type { DirectLane } from '../../../src/lanes/direct/direct-lane.ts';
import { listenDirect } from '../../../src/lanes/direct/listen.ts';
import type { LaneStage } from '../../support/lane-conformance.ts';
import { LANE_SCENARIOS } from '../../support/lane-scenarios.ts';
import { createSideline } from '../../support/sideline.ts';

/** The offer with loopback as its only way: what other interfaces a machine has is no matter of most tests. */
export function overLoopback(offer: DirectOffer): DirectOffer {
  return { ...offer, addresses: offer.addresses.filter(({ host }) => host === '127.0.0.1') };
}

export interface OpenLanes {
  readonly dialled: DirectLane;
  readonly accepted: DirectLane;
}

export async function openLanes(listener: DirectListener, options?: DialDirectOptions): Promise<OpenLanes> {
  const { offer, lane } = listener.expect(1);
  const dialled = await dialDirect(overLoopback(offer), options);
  return { dialled: dialled as DirectLane, accepted: (await lane) as DirectLane };
}

/** Plays scenarios over direct lanes within this process. */
export async function directStage(left: 'dials' | 'listens'): Promise<LaneStage> {
  const listener = await listenDirect();
  return {
    async play(name) {
      const { dialled, accepted } = await openLanes(listener);
      const scenario = LANE_SCENARIOS[name];
      const leftSide = createSideline((event) => rightSide.hear(event));
      const rightSide = createSideline((event) => leftSide.hear(event));
      const [leftLane, rightLane] = left === 'dials' ? [dialled, accepted] : [accepted, dialled];
      try {
        await Promise.all([scenario?.left(leftLane, leftSide), scenario?.right(rightLane, rightSide)]);
      } finally {
        dialled.abort();
        accepted.abort();
      }
    },
    close: () => listener.close(),
  };
}
