import { createLab } from '../../test/support/lab.ts';
import type { Wan } from '../../test/support/wan.ts';
import { createBaseline } from '../support/baseline.ts';
import { type Benchmark, besideRow, type Requirement, type Row, rowsOrFailure } from '../support/benchmark.ts';
import {
  assertWan,
  associationSpeed,
  iperfSpeed,
  memoryRow,
  openWanModel,
  type Pulled,
  pullOver,
  type Way,
  wayName,
} from '../support/wan-bench.ts';

interface Case {
  readonly lossPercent: number;
  readonly way: Way;
  readonly megabytes: number;
  readonly required?: Requirement;
}

const FULL_REPEATS = 3;
const QUICK_MEGABYTES = 10;
/** What one association is measured with: it carries about 1 MB/s. */
const ASSOCIATION_MEGABYTES = 6;

const [NATIVE, WERIFT] = [{ lane: 'webrtc', engine: 'native' } as const, { lane: 'webrtc', engine: 'werift' } as const];
const [DIRECT, RELAY] = [{ lane: 'direct' } as const, { lane: 'relay' } as const];

const CASES: readonly Case[] = [
  { lossPercent: 0.1, way: NATIVE, megabytes: 400, required: { of: 'value', atLeast: 15 } },
  { lossPercent: 0.1, way: WERIFT, megabytes: 150, required: { of: 'value', atLeast: 6 } },
  { lossPercent: 0.1, way: DIRECT, megabytes: 400, required: { of: 'ratio', atLeast: 0.6 } },
  { lossPercent: 0.1, way: RELAY, megabytes: 200 },
  { lossPercent: 1, way: NATIVE, megabytes: 400, required: { of: 'value', atLeast: 7 } },
  { lossPercent: 1, way: WERIFT, megabytes: 60 },
  { lossPercent: 1, way: DIRECT, megabytes: 200 },
  { lossPercent: 1, way: RELAY, megabytes: 100 },
];

export const wanLoss: Benchmark = {
  name: 'wan-loss',
  title:
    'Pull over the emulated link with loss, beside one association of the engine, or iperf3 with as many connections. A transfer that does not complete is a failed row',
  async run({ quick }, say) {
    assertWan();
    const rows = [];
    for (const one of CASES) {
      const what = `${one.lossPercent} % loss, ${wayName(one.way)}`;
      rows.push(...(await rowsOrFailure(what, () => measureCase(one, quick, say))));
    }
    return rows;
  },
};

async function measureCase({ lossPercent, way, required, ...rest }: Case, quick: boolean, say: (text: string) => void) {
  await using lab = createLab();
  const megabytes = quick ? QUICK_MEGABYTES : rest.megabytes;
  const scene = await openWanModel(lab, megabytes * 1e6, lossPercent);
  const pulled: Pulled[] = [];
  const baseline = createBaseline(say);
  for (let repeat = 1; repeat <= (quick ? 1 : FULL_REPEATS); repeat += 1) {
    say(`${lossPercent} % loss, ${wayName(way)}, ${megabytes} MB, repeat ${repeat}`);
    const done = await pullOver(scene, `client-${repeat}`, way);
    pulled.push(done);
    await baseline.measure((signal) => baselineSpeed(scene.wan, way, done, signal));
  }
  const connections = pulled.map((done) => done.connections).join(', ');
  const what = `${lossPercent} % loss, ${megabytes} MB, ${wayName(way)} (connections: ${connections})`;
  const samples = pulled.map(({ megabytesPerSecond }) => megabytesPerSecond);
  const row: Row = besideRow({ what, unit: 'MB/s', samples, beside: baseline, ...(required && { required }) });
  return [row, memoryRow(`${lossPercent} % loss, ${wayName(way)}`, pulled)];
}

async function baselineSpeed(wan: Wan, { engine }: Way, { connections }: Pulled, signal: AbortSignal): Promise<number> {
  if (engine === undefined) return await iperfSpeed(wan, connections, signal);
  return await associationSpeed(wan, engine, ASSOCIATION_MEGABYTES, signal);
}
