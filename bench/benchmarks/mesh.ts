import { type Digest, identityFromSeed, packValue } from '@model-rtc/protocol';
import { BEAT_BYTES } from '../../packages/mesh/src/core/beats/beat.ts';
import { signHead } from '../../packages/mesh/src/core/catalog/head.ts';
import { SPREAD_MS } from '../../packages/mesh/src/core/gossip/beat-spread.ts';
import { type Benchmark, besideRow, median, type Row } from '../support/benchmark.ts';
import { simulateMesh } from '../support/mesh-simulation.ts';
import { BEAT_MS } from '../support/simulated-store.ts';

const HOUR_MS = 3_600_000;
const BEATS_AN_HOUR = HOUR_MS / BEAT_MS;
/** A chain lasts six hours, and a node changes its models or moves its numbers now and then. */
const HEADS_AN_HOUR = 1;
const COMPARISONS_AN_HOUR = 60;
/** A record's name and order in a list of all. */
const NAME_BYTES = 104;
const HASHES_BYTES = 2_100;
/** A request with beats and its answer, without the beats. */
const BEATS_MESSAGE_BYTES = 110;
const LINKS = 10;
const MODELS = 20;
const CHANGES = 20;

export const mesh: Benchmark = {
  name: 'mesh',
  title:
    'A mesh in virtual time, with sessions of an hour and 1 % of the messages lost, beside signing every head anew each five minutes',
  async run({ quick }, say) {
    const nodes = quick ? 300 : 10_000;
    const beaters = 150;
    say(`${nodes} nodes`);
    const scenario = { nodes, beaters, changes: CHANGES, meanSessionMs: HOUR_MS, loss: 0.01 };
    const { msTo99, copies, beatCopies, beatMsTo99, differing } = await simulateMesh(scenario);
    const headBytes = sizeOfHead();
    const knownAfterS = median(msTo99) / 1000;
    // Beats that are missing somewhere show in comparisons; heads that are under way do as well.
    const comparing = (headsAnHour: number, missing: number) => {
      const underWay = ((nodes * headsAnHour) / 3600) * knownAfterS + missing;
      const ranges = 1 - Math.exp(-underWay / 256);
      return 2 * COMPARISONS_AN_HOUR * (HASHES_BYTES + ranges * 2 * nodes * NAME_BYTES);
    };
    const missing = differing * (nodes / beaters);
    const beats = nodes * BEATS_AN_HOUR * beatCopies * BEAT_BYTES + LINKS * (HOUR_MS / SPREAD_MS) * BEATS_MESSAGE_BYTES;
    const own = (beats + nodes * HEADS_AN_HOUR * copies * headBytes + comparing(HEADS_AN_HOUR, missing)) / 1e6;
    const resigned = (nodes * BEATS_AN_HOUR * copies * headBytes + comparing(BEATS_AN_HOUR, 0)) / 1e6;
    const what = `${nodes} nodes: a new model is known to 99 %`;
    const known: Row = { what, unit: 's', value: knownAfterS, samples: msTo99.map((ms) => ms / 1000) };
    const heard = median(beatMsTo99) / 1000;
    return [
      msTo99.length < CHANGES ? { ...known, failed: `only ${msTo99.length} of ${CHANGES} were` } : known,
      { what: 'a beat is known to 99 %', unit: 's', value: heard, samples: beatMsTo99.map((ms) => ms / 1000) },
      { what: 'copies of each record that a node gets', unit: '', samples: [copies], value: copies },
      { what: 'copies of each beat that a node gets', unit: '', samples: [beatCopies], value: beatCopies },
      { what: 'received by a node in an hour for beats alone', unit: 'MB', samples: [beats / 1e6], value: beats / 1e6 },
      besideRow({
        ...{ what: 'received by a node in an hour, with one change of each node', unit: 'MB', samples: [own] },
        beside: { samples: [resigned], failed: undefined },
      }),
    ];
  },
};

/** Of a real head in a message. */
function sizeOfHead(): number {
  const models = Array.from({ length: MODELS }, (_, i) => {
    const digest = i.toString(16).padStart(2, '0').repeat(32) as Digest;
    const texts = { modelId: digest.slice(0, 8), name: `some-model-${i}`, type: 'llama', source: 'hub' as const };
    return { digest, ...texts, sizeBytes: 1e9, format: 'gguf', capabilities: [], tags: [], sha256: digest };
  });
  const properties = { os: 'linux', gpu: 'RTX 4090', gpu_memory: 24, free_space: 812, load: 0.4 };
  const own = { name: 'lab-machine-17', role: 'worker' as const, tags: ['lab'], properties, models };
  const identity = identityFromSeed(new Uint8Array(32).fill(7));
  const urls = ['wss://signal.example.org', 'ws://192.168.1.17:8787'];
  const meshId = 'ab'.repeat(32);
  const beats = { anchor: new Uint8Array(16), intervalMs: BEAT_MS, count: 72 };
  const { record } = signHead(identity, { meshId, own: { ...own, urls }, sequence: 1e12, nowMs: 1e12, beats });
  const message = { type: 'request', id: 1, method: 'mesh_gossip', params: { records: [record.bytes] } };
  return packValue(message).length;
}
