import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { LANE_SCENARIOS } from './lane-scenarios.ts';

/** A kind of lane under test: it opens a fresh lane for each scenario, and plays both sides of it. */
export interface LaneStage {
  /** Rejects with what either side found wrong. */
  play(scenario: string): Promise<void>;
  /** Rejects when something is left behind. */
  close(): Promise<void>;
}

/** What every lane must pass. */
export function laneConformance(name: string, setUp: () => Promise<LaneStage>): void {
  describe(`a ${name} lane`, () => {
    let stage: LaneStage;
    beforeAll(async () => {
      stage = await setUp();
    }, 60_000);
    afterAll(async () => stage?.close(), 60_000);

    for (const scenario of Object.keys(LANE_SCENARIOS)) {
      it(`${scenario}`, async () => stage.play(scenario), 60_000);
    }
  });
}
