import { type Digest, identityFromSeed, packValue } from '@model-rtc/protocol';
import { signHead } from '../../packages/mesh/src/core/catalog/head.ts';
import { type Benchmark, besideRow, median, type Row } from '../support/benchmark.ts';
import { simulateMesh } from '../support/mesh-simulation.ts';

const HOUR_MS = 3_600_000;
const HEADS_AN_HOUR = HOUR_MS / 300_000;
const COMPARISONS_AN_HOUR = 60;
/** A record's name and order in a list of all. */
const NAME_BYTES = 104;
const HASHES_BYTES = 2_100;
const MODELS = 20;
const CHANGES = 20;

export const mesh: Benchmark = {
  name: 'mesh',
  title:
    'A mesh in virtual time, with sessions of an hour and 1 % of the messages lost, beside flooding whole catalogs',
  async run({ quick }, say) {
    const nodes = quick ? 300 : 10_000;
    say(`${nodes} nodes`);
    const { msTo99, copies } = await simulateMesh({ nodes, changes: CHANGES, meanSessionMs: HOUR_MS, loss: 0.01 });
    const { headBytes, catalogBytes } = sizes();
    const beats = nodes * HEADS_AN_HOUR;
    const knownAfterS = median(msTo99) / 1000;
    // Two that compare differ in the ranges of the names that are under way; both sides of a comparison send and receive.
    const underWay = (beats / 3600) * knownAfterS;
    const differing = 1 - Math.exp(-underWay / 256);
    const comparing = 2 * COMPARISONS_AN_HOUR * (HASHES_BYTES + differing * 2 * nodes * NAME_BYTES);
    const own = (beats * copies * headBytes + comparing) / 1e6;
    const flooded = (beats * 10 * catalogBytes + 2 * COMPARISONS_AN_HOUR * 2 * nodes * NAME_BYTES) / 1e6;
    const what = `${nodes} nodes: a new model is known to 99 %`;
    const known: Row = { what, unit: 's', value: knownAfterS, samples: msTo99.map((ms) => ms / 1000) };
    return [
      msTo99.length < CHANGES ? { ...known, failed: `only ${msTo99.length} of ${CHANGES} were` } : known,
      { what: 'copies of each record that a node gets', unit: '', samples: [copies], value: copies },
      besideRow({
        ...{ what: 'received by a node in an hour, from the copies counted', unit: 'MB', samples: [own] },
        beside: { samples: [flooded], failed: undefined },
      }),
    ];
  },
};

/** Of a real head, and of a whole catalog. */
function sizes(): { readonly headBytes: number; readonly catalogBytes: number } {
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
  const { record, parts } = signHead(identity, { meshId, own: { ...own, urls }, sequence: 1e12, nowMs: 1e12 });
  const message = { type: 'request', id: 1, method: 'mesh_gossip', params: { records: [record.bytes] } };
  const headBytes = packValue(message).length;
  return { headBytes, catalogBytes: headBytes + parts.reduce((sum, { bytes }) => sum + bytes.length, 0) };
}
