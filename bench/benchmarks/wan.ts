import { createLab } from '../../test/support/lab.ts';
import { createBaseline } from '../support/baseline.ts';
import { type Benchmark, besideRow, type Row, rowsOrFailure } from '../support/benchmark.ts';
import {
  assertWan,
  iperfSpeed,
  LINK_MEGABYTES,
  memoryRow,
  openWanModel,
  type Pulled,
  pullOver,
  type Way,
  wayName,
} from '../support/wan-bench.ts';

const FULL_MEGABYTES = 400;
const QUICK_MEGABYTES = 20;
const REPEATS = 3;
const LEAST_OF_LINK = 0.8;
const WAYS: readonly Way[] = [
  { lane: 'direct' },
  { lane: 'webrtc', engine: 'native' },
  { lane: 'relay' },
  { lane: 'webrtc', engine: 'werift' },
];

export const wan: Benchmark = {
  name: 'wan',
  title:
    'Pull over an emulated link of 200 Mbit/s and 50 ms round trip without loss, beside iperf3 with one connection',
  async run({ quick }, say) {
    assertWan();
    const rows = [];
    for (const way of WAYS) rows.push(...(await rowsOrFailure(wayName(way), () => measureWay(way, quick, say))));
    return rows;
  },
};

async function measureWay(way: Way, quick: boolean, say: (text: string) => void): Promise<Row[]> {
  await using lab = createLab();
  const megabytes = quick ? QUICK_MEGABYTES : FULL_MEGABYTES;
  const scene = await openWanModel(lab, megabytes * 1e6);
  const pulled: Pulled[] = [];
  const baseline = createBaseline(say);
  for (let repeat = 1; repeat <= (quick ? 1 : REPEATS); repeat += 1) {
    say(`${wayName(way)}, ${megabytes} MB, repeat ${repeat}`);
    await baseline.measure((signal) => iperfSpeed(scene.wan, 1, signal));
    pulled.push(await pullOver(scene, `client-${repeat}`, way));
  }
  const what = `pull ${megabytes} MB, ${wayName(way)}`;
  const samples = pulled.map(({ megabytesPerSecond }) => megabytesPerSecond);
  // What werift carries depends on the processor and not on the link.
  const required = { of: 'value', atLeast: LEAST_OF_LINK * LINK_MEGABYTES } as const;
  const row = { what, unit: 'MB/s', samples, beside: baseline };
  return [besideRow(way.engine === 'werift' ? row : { ...row, required }), memoryRow(what, pulled)];
}
