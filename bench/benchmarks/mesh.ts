import { type Digest, identityFromSeed, packValue } from '@model-rtc/protocol';
import { BEAT_BYTES } from '../../packages/mesh/src/core/beats/beat.ts';
import { signHead } from '../../packages/mesh/src/core/catalog/head.ts';
import { SPREAD_MS } from '../../packages/mesh/src/core/gossip/beat-spread.ts';
import { type Benchmark, besideRow, median, type Row } from '../support/benchmark.ts';
import { LINKS, type MeshOutcome, simulateMesh } from '../support/mesh-simulation.ts';
import { WANT_BYTES } from '../support/mesh-traffic.ts';
import { BEAT_MS } from '../support/simulated-store.ts';

const HOUR_MS = 3_600_000;
const BEATS_AN_HOUR = HOUR_MS / BEAT_MS;
/** A node signs a head when it comes, when it goes, and when its models or numbers change, once in between. */
const HEADS_AN_HOUR = 3;
/** Nodes are away for a quarter of an hour; so many of the others' heads are new then. */
const MISSED_HEADS = HEADS_AN_HOUR / (HEADS_AN_HOUR + 4);
/** A request with beats and its answer, without the beats. */
const BEATS_MESSAGE_BYTES = 110;
const MODELS = 20;
const CHANGES = 20;
const FOLLOWED = 100;

export const mesh: Benchmark = {
  name: 'mesh',
  title:
    'A mesh in virtual time, with sessions of an hour and 1 % of the messages lost, beside signing every head anew each five minutes',
  async run({ quick }, say) {
    const nodes = quick ? 300 : 10_000;
    say(`${nodes} nodes`);
    const headBytes = sizeOfHead();
    const outcome = await simulateMesh({
      ...{ nodes, followed: FOLLOWED, changes: CHANGES, meanSessionMs: HOUR_MS, missedHeads: MISSED_HEADS },
      ...{ loss: 0.01, headBytes },
    });
    const { msTo99, beatMsTo99, headCopies, beatCopies, comparedBytesAnHour } = outcome;
    const beats = beatBytes(nodes, outcome);
    const heads = nodes * HEADS_AN_HOUR * bytesOfHead(headBytes, outcome);
    // In place of a beat, each time a head.
    const resigned = nodes * BEATS_AN_HOUR * bytesOfHead(headBytes, outcome) + heads + comparedBytesAnHour;
    const known = timesRow(`${nodes} nodes: a new model is known to 99 %`, msTo99);
    return [
      msTo99.length < CHANGES ? { ...known, failed: `only ${msTo99.length} of ${CHANGES} were` } : known,
      timesRow('a beat is known to 99 %', beatMsTo99),
      { what: 'copies of each head that a node gets', unit: '', samples: [headCopies], value: headCopies },
      { what: 'copies of each beat that a node gets', unit: '', samples: [beatCopies], value: beatCopies },
      megabytesRow('received by a node in an hour: beats', beats),
      megabytesRow('heads, three of each node', heads),
      megabytesRow('comparing, and what was missed while away', comparedBytesAnHour),
      besideRow({
        ...{ what: 'all of it', unit: 'MB', samples: [(beats + heads + comparedBytesAnHour) / 1e6] },
        beside: { samples: [resigned / 1e6], failed: undefined },
      }),
    ];
  },
};

function beatBytes(nodes: number, { beatCopies }: MeshOutcome): number {
  const messages = 2 * LINKS * (HOUR_MS / SPREAD_MS) * BEATS_MESSAGE_BYTES;
  return nodes * BEATS_AN_HOUR * beatCopies * BEAT_BYTES + messages;
}

/** What a node receives for each head: copies, being told of it, and being asked for it. */
function bytesOfHead(headBytes: number, { headCopies, announcedCopies, wants }: MeshOutcome): number {
  return headCopies * headBytes + announcedCopies * BEAT_BYTES + wants * WANT_BYTES;
}

function timesRow(what: string, times: readonly number[]): Row {
  return { what, unit: 's', value: median(times) / 1000, samples: times.map((ms) => ms / 1000) };
}

function megabytesRow(what: string, bytes: number): Row {
  return { what, unit: 'MB', value: bytes / 1e6, samples: [bytes / 1e6] };
}

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
