import { expect, it } from '@jest/globals';
import type { Mesh, MeshHolder, MeshModel } from '@model-rtc/mesh';
import { type Clock, type Digest, ModelRtcError, silentLog } from '@model-rtc/protocol';
import { PeerEncodings, SourcePool } from '@model-rtc/transfer';
import { meshNode } from '../../../../test/support/mesh-node.ts';
import { HolderCrew } from '../../src/mesh/holder-crew.ts';
import type { SessionLink } from '../../src/session-link.ts';

function holderOf(key: string, isPresent: boolean): MeshHolder {
  const node = meshNode(key, { urls: ['ws://x'], isPresent });
  return { node, isWhole: true, model: {} as MeshModel };
}

/** A crew whose clock stands still until the test moves it. `slow` is being connected to all the time; no other node can be reached. */
function scene(holders: readonly MeshHolder[]) {
  const noted: string[] = [];
  const tried = new Map<string, number>();
  const ticks: (() => void)[] = [];
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    every(_ms: number, callback: () => void) {
      ticks.push(callback);
      return () => {};
    },
  } as unknown as Clock;
  const mesh = {
    name: 'lab',
    onChange: () => () => {},
    find: async () => ({ holders }),
    noteOutcome: async (key: string) => void noted.push(key),
  } as unknown as Mesh;
  const link = async (key: string): Promise<SessionLink> => {
    tried.set(key, (tried.get(key) ?? 0) + 1);
    const reach = async (signal: AbortSignal) => {
      if (key === 'slow') await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new ModelRtcError('network', 'It cannot be reached.');
    };
    return { reach } as unknown as SessionLink;
  };
  const over = new AbortController();
  const crew = new HolderCrew({ mesh, link, clock, random: () => 0, log: silentLog }, 'a'.repeat(64) as Digest, {
    ...{ pool: new SourcePool(), name: 'mesh lab', encodings: new PeerEncodings(), signal: over.signal },
  });
  const later = (ms: number): void => {
    nowMs += ms;
    for (const tick of ticks) tick();
  };
  return { noted, tried, later, run: crew.run(), over };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

it('counts an outage once, however often a node is tried in it, and none of an absent node', async () => {
  const { noted, tried, later, run, over } = scene([
    holderOf('slow', true),
    holderOf('down', true),
    holderOf('absent', false),
  ]);
  for (let times = 1; times <= 4; times++) {
    await until(() => tried.get('down') === times && tried.get('absent') === times);
    // Those that failed are noted, and left, in the next turns.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    later(60_000);
  }
  over.abort();
  await run;
  expect(noted).toEqual(['down']);
});
